import { noAnswer } from './kubernetes-error.ts';

const NEWLINE = 0x0a;

/** Cuts a stream of bytes at its newlines. What is no whole line yet is kept, up to `limit` bytes. */
export class LineSplitter {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Calls back for each line that ends in `chunk`, without its newline. Throws `KUBERNETES_ANSWER` where one is longer than the limit. */
  push(chunk: Buffer, line: (text: Buffer) => void): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const last = chunk.subarray(from, end);
      line(this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]));
      this.#pieces = [];
      this.#size = 0;
      from = end + 1;
    }
    if (from === chunk.length) return;
    this.#size += chunk.length - from;
    if (this.#size > this.#limit) throw noAnswer();
    this.#pieces.push(chunk.subarray(from));
  }
}
