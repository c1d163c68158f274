/** What a schema refuses, in plain words. */
export interface SchemaProblem {
  path: (string | number)[];
  message: string;
  advice: string;
}

/** Checks plain data against a schema of this folder; no problems: it conforms. */
export function validate(_schema: object, _value: unknown): SchemaProblem[] {
  throw new Error('not written yet');
}
