/** Content of a packet, or `flush`. */
export type Packet = Buffer | 'flush';

const LENGTH_DIGITS = 4;
/** gitprotocol-common, "pkt-line Format": with the four digits of its length. */
const LONGEST = 65520;
const LENGTH = /^[0-9a-fA-F]{4}$/;
const NOTHING = Buffer.alloc(0);

/** The bytes are no packets, or end within one. */
export class PacketFault extends Error {
  /** Whether the other side just stopped. */
  readonly isCut: boolean;

  constructor(message: string, isCut = false) {
    super(message);
    this.isCut = isCut;
  }
}

/** The stream is longer than what is taken of it. */
export class TooLong extends Error {}

/**
 * Takes a stream apart into packets. A packet that is there already costs no turn of the event loop: a server may name a
 * million refs. `limit`: of the whole stream, in bytes.
 */
export class PacketReader {
  readonly #stream: AsyncIterator<Uint8Array>;
  readonly #limit: number;
  #bytes: Buffer = NOTHING;
  #at = 0;
  #total = 0;

  constructor(stream: AsyncIterable<Uint8Array>, limit: number) {
    this.#stream = stream[Symbol.asyncIterator]();
    this.#limit = limit;
  }

  /** The next packet; `undefined` at the end. Throws PacketFault, TooLong, and what the stream throws. */
  async next(): Promise<Packet | undefined> {
    for (;;) {
      const packet = this.take();
      if (packet !== undefined || !(await this.#fill())) return packet;
    }
  }

  /** The next packet if it has arrived whole. */
  take(): Packet | undefined {
    if (this.#bytes.length - this.#at < LENGTH_DIGITS) return undefined;
    const start = this.#at + LENGTH_DIGITS;
    const digits = this.#bytes.toString('latin1', this.#at, start);
    if (!LENGTH.test(digits)) throw new PacketFault('a packet without a length');
    const length = Number.parseInt(digits, 16);
    if (length === 0) {
      this.#at = start;
      return 'flush';
    }
    // 1 to 3 are of version 2, which nobody asked for.
    if (length < LENGTH_DIGITS || length > LONGEST) throw new PacketFault(`a packet of length ${length}`);
    const end = this.#at + length;
    if (this.#bytes.length < end) return undefined;
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }

  /** Tells the sender that nobody reads on. */
  async close(): Promise<void> {
    await this.#stream.return?.();
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#stream.next();
    if (done === true) {
      if (this.#at < this.#bytes.length) throw new PacketFault('the end within a packet', true);
      return false;
    }
    this.#total += value.length;
    if (this.#total > this.#limit) throw new TooLong(`more than ${this.#limit} bytes`);
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.length);
    const rest = this.#bytes.subarray(this.#at);
    this.#bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
    return true;
  }
}

export const FLUSH = Buffer.from('0000');

export function packet(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + LENGTH_DIGITS).toString(16).padStart(LENGTH_DIGITS, '0')), bytes]);
}
