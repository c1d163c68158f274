/** Where the lines of a text begin. Line breaks are LF, CRLF and CR, as in YAML 1.2. */
export class Lines {
  readonly #starts: number[] = [0];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (const lineBreak of text.matchAll(/\r\n|\n|\r/g)) this.#starts.push(lineBreak.index + lineBreak[0].length);
  }

  /** Both count from 1; the column in UTF-16 units. */
  place(offset: number): { line: number; column: number } {
    const index = this.#indexOf(offset);
    return { line: index + 1, column: offset - (this.#starts[index] ?? 0) + 1 };
  }

  /** Where the line of an offset begins. */
  startOf(offset: number): number {
    return this.#starts[this.#indexOf(offset)] ?? 0;
  }

  /** Where the next line begins; the text's length on its last line. */
  endOf(offset: number): number {
    return this.#starts[this.#indexOf(offset) + 1] ?? this.#length;
  }

  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
