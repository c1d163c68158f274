import type { Quarantine } from '../clone/quarantine.ts';

/** What a source follows, as its server names it now. */
export interface Head {
  /** Object id, 40 hex digits. */
  commit: string;
  /** Object id of the annotated tag that names it, where a tag is followed. */
  tag?: string;
  /** Full name of the ref. */
  ref: string;
}

export interface FetchOptions {
  /** The whole history; else a first fetch takes the newest commit alone. */
  isWhole: boolean;
}

/** The place that a source watches. */
export interface Remote {
  /**
   * What the branch, or the highest tag that matches, names now. Throws `SOURCE_EMPTY`, `SOURCE_BRANCH_MISSING`,
   * `SOURCE_TAG_MISSING` or what keeps it from looking.
   */
  head(signal: AbortSignal): Promise<Head>;
  /** Brings what `head` names, and what it needs that is not in the clone, into the quarantine. */
  fetch(into: Quarantine, head: Head, options: FetchOptions, signal: AbortSignal): Promise<void>;
  close(): void;
}
