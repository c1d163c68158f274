/** A text that is neither YAML nor JSON. `reason` goes on from "because"; neither it nor the message holds any input. */
export class NodeSyntaxError extends Error {
  readonly offset: number;

  constructor(reason: string, offset: number, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'NodeSyntaxError';
    this.offset = offset;
  }
}
