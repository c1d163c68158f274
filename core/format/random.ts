import { randomBytes } from 'node:crypto';

/** A source of `length` bytes. Sealing takes one so that the published vectors can be made again, byte for byte. */
export type Random = (length: number) => Buffer;

export const systemRandom: Random = (length) => randomBytes(length);
