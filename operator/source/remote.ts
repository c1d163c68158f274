import type { Quarantine } from './clone.ts';

/** The place that a source watches. */
export interface Remote {
  /** The commit that the branch names. Throws `SOURCE_EMPTY`, `SOURCE_BRANCH_MISSING` or what keeps it from looking. */
  head(signal: AbortSignal): Promise<string>;
  /** Brings a commit of the branch, and what it needs that is not in the clone, into the quarantine. Returns its id. */
  fetch(into: Quarantine, head: string, signal: AbortSignal): Promise<string>;
  close(): void;
}
