import { randomBytes } from 'node:crypto';

/** A source of `length` bytes. Sealing takes one so that the published vectors can be made again, byte for byte. */
export type Random = (length: number) => Buffer;

/** Drawn at a time: a call to the system's generator costs more than sealing a short value. */
const POOL_LENGTH = 4096;
let pool: Buffer = Buffer.alloc(0);

/** What was handed out is zeroed in the pool, so that a key is nowhere but where its user wipes it. */
export const systemRandom: Random = (length) => {
  if (length > 64) return randomBytes(length);
  if (pool.length < length) pool = randomBytes(POOL_LENGTH);
  const bytes = Buffer.alloc(length);
  pool.copy(bytes, 0, 0, length);
  pool.fill(0, 0, length);
  pool = pool.subarray(length);
  return bytes;
};
