import type { Person } from '../git/commits/commit.ts';
import type { CommitFacts } from './history-facts.ts';

/** A commit as it describes itself. */
export interface Moment {
  commit: string;
  author: Person;
  /** ISO 8601, UTC: when it was committed, as it claims. */
  time: string;
}

export function momentOf(commit: CommitFacts | undefined): Moment {
  const { oid = '', author = { name: '', email: '' }, time = 0 } = commit ?? {};
  return { commit: oid, author, time: timeText(time) };
}

/** A commit may claim any time; what no calendar has counts as its beginning. */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}
