/**
 * The message differences of all attacks on SHA-1 that are known: the 32 disturbance vectors which Stevens and Shumow found to be
 * worth looking for ("Speeding up detection of SHA-1 collision attacks using unavoidable attack conditions", USENIX Security
 * 2017, section 5), in Manuel's classes I(K, b) and II(K, b). Git and the forges look for the same.
 */
export interface DisturbanceVector {
  /** The XOR difference of each of the 80 words of an expanded block. */
  difference: Int32Array;
  /** A step at which the states of both messages are the same. */
  step: 58 | 65;
}

type Class = 'I' | 'II';
/** For which K, and then: word (relative to K), bit, word, bit, whether they differ. */
type Condition = readonly [
  from: number,
  to: number,
  word: number,
  bit: number,
  other: number,
  bit: number,
  differ: 0 | 1,
];

interface Family {
  class: Class;
  b: 0 | 2;
  ks: readonly number[];
  conditions: readonly Condition[];
}

/**
 * Conditions that no attack along the vector can avoid (section 4 of the paper, and its tables): relations between two bits of the
 * expanded message. They only save work: what fulfils them all is recomputed, and that alone decides.
 */
const FAMILIES: readonly Family[] = [
  {
    class: 'I',
    b: 0,
    ks: [43, 44, 45, 46, 47, 48, 49, 50, 51, 52],
    conditions: [
      [43, 52, -6, 4, -3, 29, 0],
      [43, 52, -4, 4, -1, 29, 0],
      [43, 52, -2, 4, 1, 29, 0],
      [43, 52, 0, 4, 3, 29, 0],
      [43, 52, 3, 29, 4, 29, 0],
      [44, 52, -4, 29, -3, 29, 0],
      [43, 49, 1, 29, 3, 29, 1],
      [45, 51, -1, 29, 1, 29, 1],
      [47, 52, -10, 4, -7, 29, 0],
      [47, 52, -7, 29, -6, 29, 0],
      [47, 52, -3, 29, -1, 29, 1],
      [48, 52, -13, 4, -9, 29, 0],
      [48, 52, -8, 29, -7, 29, 0],
      [43, 46, -6, 4, -4, 4, 1],
      [45, 48, 15, 0, 16, 5, 1],
      [43, 45, 18, 1, 19, 6, 1],
      [50, 52, -14, 4, -13, 4, 1],
      [43, 44, -4, 4, -2, 4, 1],
      [43, 44, 15, 0, 20, 30, 1],
      [43, 44, 16, 5, 20, 30, 0],
      [45, 46, -10, 4, -6, 29, 0],
      [50, 50, 1, 29, 4, 29, 1],
      [51, 51, -16, 3, -12, 28, 0],
      [51, 51, -3, 29, 4, 29, 1],
      [52, 52, -4, 29, 3, 29, 1],
    ],
  },
  {
    class: 'I',
    b: 2,
    ks: [46, 47, 48, 49, 50, 51],
    conditions: [
      [46, 51, -6, 6, -4, 6, 0],
      [46, 51, -4, 6, -2, 6, 0],
      [46, 51, -2, 6, 0, 6, 0],
      [46, 51, 0, 6, 1, 1, 0],
      [46, 48, -11, 1, -10, 6, 1],
      [46, 48, -7, 1, -6, 6, 1],
      [46, 48, 15, 2, 16, 7, 1],
      [49, 51, -14, 1, -13, 6, 1],
      [49, 51, -10, 6, -9, 1, 0],
      [49, 50, -7, 1, 1, 1, 1],
      [49, 49, -11, 1, -9, 1, 1],
      [51, 51, -16, 5, -12, 30, 0],
      [51, 51, -14, 1, -14, 6, 0],
    ],
  },
  {
    class: 'II',
    b: 0,
    ks: [45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56],
    conditions: [
      [45, 56, -4, 4, -1, 29, 0],
      [45, 56, -2, 29, -1, 29, 0],
      [45, 56, -1, 29, 0, 29, 0],
      [46, 56, -9, 4, -6, 29, 0],
      [46, 56, -6, 29, -5, 29, 0],
      [45, 54, 2, 4, 5, 29, 0],
      [45, 54, 4, 29, 5, 29, 0],
      [47, 56, -12, 3, -8, 28, 0],
      [47, 56, -12, 4, -8, 29, 0],
      [47, 56, -7, 29, -6, 29, 0],
      [45, 52, 4, 4, 7, 29, 0],
      [45, 52, 7, 29, 8, 29, 0],
      [48, 52, -13, 30, -8, 28, 1],
      [52, 56, -16, 4, -14, 4, 1],
      [45, 48, 15, 0, 16, 5, 1],
      [53, 56, -16, 4, -13, 29, 0],
      [53, 56, 4, 4, 8, 29, 0],
      [54, 56, -18, 4, -16, 4, 1],
      [50, 51, 5, 29, 8, 29, 1],
      [55, 56, -18, 4, -15, 29, 0],
      [45, 45, -9, 4, -5, 29, 0],
      [45, 45, 5, 29, 7, 29, 1],
      [45, 45, 18, 1, 19, 6, 1],
      [47, 47, 4, 29, 7, 29, 1],
      [55, 55, 2, 4, 4, 29, 0],
      [56, 56, -16, 29, -15, 29, 0],
    ],
  },
  {
    class: 'II',
    b: 2,
    ks: [46, 49, 50, 51],
    conditions: [
      [46, 51, -10, 1, -9, 6, 1],
      [46, 51, -4, 6, -3, 1, 0],
      [46, 51, 1, 1, 5, 1, 1],
      [46, 51, 2, 6, 4, 6, 0],
      [46, 51, 4, 6, 5, 1, 0],
      [49, 51, -13, 0, -8, 30, 1],
      [49, 51, -12, 5, -8, 30, 0],
      [49, 51, -9, 6, -8, 1, 0],
      [46, 49, -5, 1, -4, 6, 1],
      [50, 51, -5, 1, -3, 1, 1],
      [46, 46, 15, 2, 16, 7, 1],
    ],
  },
];

/** The first step with a condition on its state is late enough for these; the others' local collisions go on until then. */
const EARLY = 58;
const LATE = 65;
const LAST_EARLY_K = 49;

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The words of the vector itself, from `-5` on: each disturbance starts a local collision of six steps. */
function disturbances(type: Class, k: number, b: number): Map<number, number> {
  const words = new Map<number, number>();
  for (let i = k; i < k + 16; i++) words.set(i, 0);
  if (type === 'II') for (const i of [k + 1, k + 3]) words.set(i, rotated(1, 31 + b));
  words.set(k + 15, rotated(1, b));
  const word = (i: number): number => words.get(i) ?? 0;
  // The message expansion of FIPS 180-4, section 6.1.2, in both directions.
  for (let i = k + 16; i < 80; i++) words.set(i, rotated(word(i - 3) ^ word(i - 8) ^ word(i - 14) ^ word(i - 16), 1));
  for (let i = k - 1; i >= -5; i--) words.set(i, rotated(word(i + 16), 31) ^ word(i + 13) ^ word(i + 8) ^ word(i + 2));
  return words;
}

/** Each disturbance, and what corrects it in the five steps that follow. */
function messageDifference(type: Class, k: number, b: number): Int32Array {
  const words = disturbances(type, k, b);
  const word = (i: number): number => words.get(i) ?? 0;
  const corrections = (i: number): number =>
    rotated(word(i - 1), 5) ^ word(i - 2) ^ rotated(word(i - 3) ^ word(i - 4) ^ word(i - 5), 30);
  return Int32Array.from({ length: 80 }, (_, i) => word(i) ^ corrections(i));
}

export const DISTURBANCE_VECTORS: readonly DisturbanceVector[] = FAMILIES.flatMap(({ class: type, b, ks }) =>
  ks.map((k) => ({ difference: messageDifference(type, k, b), step: k <= LAST_EARLY_K ? EARLY : LATE })),
);

/** A condition, and the vectors that have it, as bits. */
interface Shared {
  relation: readonly number[];
  vectors: number;
}

/**
 * All conditions, six numbers each: word, bit, word, bit, whether these differ, and a mask: the vectors, as bits, that remain where
 * it is not fulfilled. The first ones rule out the most, so that a third of them is enough for most blocks.
 */
export const CONDITIONS: Int32Array = (() => {
  const left = sharedConditions();
  const doubt = DISTURBANCE_VECTORS.map(() => 1);
  const worth = ({ vectors }: Shared): number => doubt.reduce((all, one, n) => all + ((vectors >>> n) & 1) * one, 0);
  const ordered: number[] = [];
  while (left.size > 0) {
    const best = [...left].reduce((one, other) => (worth(other) > worth(one) ? other : one));
    left.delete(best);
    ordered.push(...best.relation, ~best.vectors);
    for (const n of doubt.keys()) if ((best.vectors >>> n) & 1) doubt[n] = (doubt[n] ?? 0) / 2;
  }
  return Int32Array.from(ordered);
})();

function sharedConditions(): Set<Shared> {
  const shared = new Map<string, Shared>();
  let vector = 0;
  for (const { ks, conditions } of FAMILIES) {
    for (const k of ks) {
      for (const [from, to, word, bit, other, otherBit, differ] of conditions) {
        if (k < from || k > to) continue;
        const relation = [k + word, bit, k + other, otherBit, differ];
        const known = shared.get(relation.join());
        if (known === undefined) shared.set(relation.join(), { relation, vectors: 1 << vector });
        else known.vectors |= 1 << vector;
      }
      vector++;
    }
  }
  return new Set(shared.values());
}
