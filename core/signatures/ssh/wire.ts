/**
 * Reads what SSH writes (RFC 4251 §5): big-endian integers, strings with a length in front. Nothing is copied, and a
 * length is compared with what is there before it is used. `refuse` makes the error of the one who reads.
 */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #refuse: (what: string) => Error;
  #at = 0;

  constructor(bytes: Buffer, refuse: (what: string) => Error) {
    this.#bytes = bytes;
    this.#refuse = refuse;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** How many bytes were read. */
  get offset(): number {
    return this.#at;
  }

  bytes(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw this.#refuse('ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint8(): number {
    return this.bytes(1).readUInt8();
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  uint64(): bigint {
    return this.bytes(8).readBigUInt64BE();
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }

  /** A string of printable ASCII: a name of an algorithm or a namespace. */
  name(): string {
    const text = this.string().toString('latin1');
    if (!/^[!-~]{1,255}$/.test(text)) throw this.#refuse('has a name of other characters than names have');
    return text;
  }

  /** An unsigned multiple precision integer in its one shortest form, without the zero that keeps it positive. */
  positive(): Buffer {
    const value = this.string();
    const [first = 0, second = 0] = value;
    if (value.length === 0 || first > 0x7f || (first === 0 && second <= 0x7f)) {
      throw this.#refuse('has a number that is not written in the shortest way');
    }
    return first === 0 ? value.subarray(1) : value;
  }

  nested(): WireReader {
    return new WireReader(this.string(), this.#refuse);
  }

  end(): void {
    if (!this.isAtEnd) throw this.#refuse('has bytes after its end');
  }
}

/** A string as `WireReader` reads it. */
export function wireString(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
