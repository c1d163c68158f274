/** Bytes that grow like a string builder but leave no copy of themselves behind. */
export class SecretBytes {
  #buffer: Buffer;
  #length = 0;

  constructor(expectedLength: number) {
    this.#buffer = Buffer.alloc(Math.max(expectedLength, 64));
  }

  /** Appends `bytes[start..end)`. */
  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.#grow(end - start);
    const buffer = this.#buffer;
    let length = this.#length;
    // Most pieces are short, for which a loop is faster than a view and `set`.
    if (end - start < 64) for (let at = start; at < end; at++) buffer[length++] = bytes[at] ?? 0;
    else buffer.set(bytes.subarray(start, end), length);
    this.#length += end - start;
  }

  appendByte(byte: number): void {
    this.#grow(1);
    this.#buffer[this.#length] = byte;
    this.#length += 1;
  }

  appendAscii(text: string): void {
    this.#grow(text.length);
    this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  /** The bytes so far, not copied: the caller wipes them, or calls `wipe`. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  wipe(): void {
    this.#buffer.fill(0);
    this.#length = 0;
  }

  #grow(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length + more));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer.fill(0);
    this.#buffer = larger;
  }
}
