import type { AnyRecord } from '../audit/record.ts';
import type { Comparisons } from './exposure.ts';

const DIGEST = /^[A-Za-z0-9_-]{32}$/;

/** What openers recorded when they compared two sealed texts. Where records disagree, the values count as the same. */
export class RecordedComparisons implements Comparisons {
  readonly #outcomes = new Map<string, 'changed' | 'same'>();

  get size(): number {
    return this.#outcomes.size;
  }

  /** Only of a log that is found to be as it was signed, or of one's own. Other records are passed over. */
  add({ event, from, to, outcome }: Pick<AnyRecord, 'event' | 'from' | 'to' | 'outcome'>): void {
    if (event !== 'value.compared' || from === undefined || to === undefined) return;
    if (!DIGEST.test(from) || !DIGEST.test(to) || (outcome !== 'changed' && outcome !== 'same')) return;
    const key = keyOf(from, to);
    if (this.#outcomes.get(key) !== 'same') this.#outcomes.set(key, outcome);
  }

  outcome(text: string, other: string): 'changed' | 'same' | undefined {
    return this.#outcomes.get(keyOf(text, other));
  }
}

/** Which of the two was the former does not matter. */
function keyOf(text: string, other: string): string {
  return text < other ? `${text} ${other}` : `${other} ${text}`;
}
