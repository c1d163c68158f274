/** Disturbances of one object within a minute that are put right at once. */
const FREE = 5;
/** Milliseconds. */
const WINDOW = 60_000;
const LONGEST = 300_000;

/**
 * Slows down where somebody changes an object of ours again and again: another controller would else be fought for ever, with a
 * write for each round, and for a Secret an opening and a record. A person's edits are put right at once.
 */
export class Contention {
  readonly #rounds = new Map<string, { count: number; due: number; isWaiting: boolean }>();

  /** When a disturbance may be put right: `now`, or later, when it is to be asked again. Milliseconds since the epoch. */
  due(key: string, now: number): number {
    const before = this.#rounds.get(key);
    if (before?.isWaiting) {
      if (now < before.due) return before.due;
      before.isWaiting = false;
      return now;
    }
    const count = before !== undefined && now - before.due < WINDOW ? before.count + 1 : 1;
    const wait = count <= FREE ? 0 : Math.min(1000 * 2 ** (count - FREE - 1), LONGEST);
    this.#rounds.set(key, { count, due: now + wait, isWaiting: wait > 0 });
    return now + wait;
  }

  forget(key: string): void {
    this.#rounds.delete(key);
  }
}
