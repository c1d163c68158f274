import { randomInt } from 'node:crypto';

const SLOTS = 1024;
/** Beyond this share of full slots, probing gets long. */
const FULLEST = 0.75;

/** Of this process: whoever chooses what digests are of must not know which of them meet in one slot. */
const SCATTER = randomInt(2 ** 31) * 2 + 1;

/**
 * Digests of one width in one block of memory: a Set of 100,000 strings takes ten times as much. Open addressing with linear
 * probing; its first bytes are a digest's hash, and one of zeros alone is an empty slot (no digest of 16 bytes is that).
 */
export class DigestSet {
  readonly #width: number;
  #bytes: Buffer;
  #size = 0;

  /** `width`: bytes of a digest, at least 8. */
  constructor(width: number) {
    this.#width = width;
    this.#bytes = Buffer.alloc(width * SLOTS);
  }

  get size(): number {
    return this.#size;
  }

  /** That it takes. */
  get bytes(): number {
    return this.#bytes.length;
  }

  has(digest: Buffer): boolean {
    return !this.#isEmpty(this.#slot(digest));
  }

  /** Whether it is new. */
  add(digest: Buffer): boolean {
    const at = this.#slot(digest);
    if (!this.#isEmpty(at)) return false;
    digest.copy(this.#bytes, at, 0, this.#width);
    this.#size++;
    if (this.#size > (this.#bytes.length / this.#width) * FULLEST) this.#grow();
    return true;
  }

  clear(): void {
    this.#bytes = Buffer.alloc(this.#width * SLOTS);
    this.#size = 0;
  }

  /** Where it is, or where it would be. */
  #slot(digest: Buffer): number {
    const slots = this.#bytes.length / this.#width;
    let slot = scattered(digest.readUInt32LE(0)) % slots;
    for (;;) {
      const at = slot * this.#width;
      if (this.#isEmpty(at) || digest.compare(this.#bytes, at, at + this.#width, 0, this.#width) === 0) return at;
      slot = (slot + 1) % slots;
    }
  }

  #isEmpty(at: number): boolean {
    for (let offset = 0; offset < this.#width; offset++) if (this.#bytes[at + offset] !== 0) return false;
    return true;
  }

  #grow(): void {
    const old = this.#bytes;
    this.#bytes = Buffer.alloc(Math.ceil((old.length / this.#width) * 1.6) * this.#width);
    for (let at = 0; at < old.length; at += this.#width) {
      const digest = old.subarray(at, at + this.#width);
      if (digest.some((byte) => byte !== 0)) digest.copy(this.#bytes, this.#slot(digest));
    }
  }
}

function scattered(start: number): number {
  const spread = Math.imul(start ^ (start >>> 16), SCATTER);
  return (spread ^ (spread >>> 15)) >>> 0;
}
