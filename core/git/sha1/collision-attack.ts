import { isUtf8 } from 'node:buffer';
import type { ObjectType } from '../object-type.ts';
import { CONDITIONS, DISTURBANCE_VECTORS, type DisturbanceVector } from './disturbance-vectors.ts';
import { add, BLOCK, expandBlock, INITIAL, padded, STEPS, type State, stepBack, stepForward } from './sha1.ts';

/** In bytes. Larger files are read by nobody (core/git/repository.ts). */
const LARGEST_FILE = 16 * 2 ** 20;

/**
 * Whether an object was computed to have its name together with another one, by any attack on SHA-1 that is known. Of files only
 * those are looked at that somebody may read: one that is no text is no manifest, and of a pair in which one is, that one is found.
 * At some 50 MB a second.
 */
export function isCollisionAttack(type: ObjectType, bytes: Uint8Array): boolean {
  if (type === 'blob' && (bytes.length > LARGEST_FILE || !isUtf8(bytes))) return false;
  return isAttackedMessage(padded(Buffer.from(`${type} ${bytes.length}\0`), bytes));
}

/**
 * Counter-cryptanalysis (Stevens, CRYPTO 2013): of the two messages of a collision one is enough to find the other, for their
 * difference is one of few, and both come to the same state in the middle. From there on the other one is computed, back to
 * where its block begins and forth to its end: if that is the end of ours, a pair was made. By chance it is one time in 2^90.
 * `message`: padded.
 */
export function isAttackedMessage(message: DataView): boolean {
  const chaining = INITIAL.slice();
  for (let at = 0; at < message.byteLength; at += BLOCK) {
    passBlock(message, at, chaining);
    for (let left = possibleVectors(); left !== 0; left &= left - 1) {
      const vector = DISTURBANCE_VECTORS[31 - Math.clz32(left & -left)];
      if (vector !== undefined && hasSibling(vector, chaining)) return true;
    }
  }
  return false;
}

/** Of the block that is looked at: one at a time, and nothing here waits. */
const words = new Int32Array(STEPS);
const others = new Int32Array(STEPS);
const state: State = new Int32Array(5);
/** The states before these steps. */
const middle: Record<DisturbanceVector['step'], State> = { 58: new Int32Array(5), 65: new Int32Array(5) };

function passBlock(message: DataView, at: number, chaining: State): void {
  expandBlock(message, at, words);
  state.set(chaining);
  stepForward(state, words, 0, 58);
  middle[58].set(state);
  stepForward(state, words, 58, 65);
  middle[65].set(state);
  stepForward(state, words, 65, STEPS);
  add(chaining, state);
}

/** As bits: along which of them the block may be one of a pair. */
function possibleVectors(): number {
  let possible = -1;
  for (let at = 0; at < CONDITIONS.length && possible !== 0; at += 6) {
    const one = (words[CONDITIONS[at] ?? 0] ?? 0) >>> (CONDITIONS[at + 1] ?? 0);
    const other = (words[CONDITIONS[at + 2] ?? 0] ?? 0) >>> (CONDITIONS[at + 3] ?? 0);
    const isFulfilled = (one ^ other ^ (CONDITIONS[at + 4] ?? 0) ^ 1) & 1;
    possible &= -isFulfilled | (CONDITIONS[at + 5] ?? 0);
  }
  return possible;
}

function hasSibling({ difference, step }: DisturbanceVector, end: Readonly<State>): boolean {
  for (let i = 0; i < STEPS; i++) others[i] = (words[i] ?? 0) ^ (difference[i] ?? 0);
  const sibling = middle[step].slice();
  stepBack(sibling, others, step);
  state.set(middle[step]);
  stepForward(state, others, step, STEPS);
  add(sibling, state);
  return sibling.every((word, i) => word === end[i]);
}
