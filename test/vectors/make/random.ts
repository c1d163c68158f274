import { createHash } from 'node:crypto';
import type { Random } from '../../../core/crypto/random.ts';

/** The same bytes for the same label at every run: SHAKE256 of the label and a count of the draws. */
export function randomFrom(label: string): Random {
  let draws = 0;
  return (length) => {
    draws += 1;
    return createHash('shake256', { outputLength: length }).update(`coffer vectors: ${label} ${draws}`).digest();
  };
}

/** A source that also tells what it gave, so that a vector can list it. */
export function recordedRandom(label: string): { random: Random; drawn: () => string[] } {
  const random = randomFrom(label);
  const drawn: string[] = [];
  return {
    random: (length) => {
      const bytes = random(length);
      drawn.push(bytes.toString('hex'));
      return bytes;
    },
    drawn: () => drawn,
  };
}
