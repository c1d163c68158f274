import { Bug } from '../errors.ts';
import type { Person } from '../git/commit.ts';
import type { Repository } from '../git/repository.ts';

/**
 * `live`: the current value is this sealed text, or was compared with it and is the same. `resealed`: the current value is another
 * text that nobody has proven to be another value. `changed`: it was proven. `removed`: the entry is gone. `unmerged`: no current
 * commit has the entry, another branch still does.
 */
export type ExposureState = 'live' | 'resealed' | 'changed' | 'removed' | 'unmerged';

/** A commit as it describes itself. */
export interface Moment {
  commit: string;
  author: Person;
  /** ISO 8601, UTC: as the commit claims, but not before what it follows. */
  time: string;
}

/** A key that could open a value. */
export interface ExposedTo {
  kid: string;
  /** As the stanza, or the keyring, names its owner. */
  recipient: string;
  /** The group's key that this key opens, and that the value is sealed to. */
  group?: string;
  /** Since both the sealed value and the way to its data key are in the history. */
  from: Moment;
}

/** One sealed text in one entry: a value that somebody could have read. */
export interface Exposed {
  namespace: string;
  name: string;
  entry: string;
  /** Of all files that had it. */
  paths: readonly string[];
  dataKeyId: string;
  /** Text digest (text-digest.ts). */
  text: string;
  keys: readonly ExposedTo[];
  /** Who wrote it, and when: the first commit that has the sealed text there. */
  written: Moment;
  /** When it became readable. */
  from: Moment;
  /** Absent: it is still there. */
  until?: Moment;
  state: ExposureState;
}

/** What openers found when they compared two sealed texts; from a log that was verified. */
export interface Comparisons {
  outcome(text: string, other: string): 'changed' | 'same' | undefined;
}

export interface ExposureQuery {
  /** Key ids; `revoked`: all that the keyring ever called revoked, or lost without saying that it was in good order. */
  keys: ReadonlySet<string> | 'revoked';
  /** The commits whose values count as current. */
  current: readonly string[];
  /** All commits whose history is searched. */
  heads: readonly string[];
  compared?: Comparisons;
  /** A file that remembers what was read of the history. */
  cache?: string;
  signal?: AbortSignal;
}

export interface ExposureReport {
  values: readonly Exposed[];
  /** Commits whose parents are not there: what is found is not all. */
  shallow: readonly string[];
  commits: number;
}

export async function findExposure(_repository: Repository, _query: ExposureQuery): Promise<ExposureReport> {
  throw new Bug('not written yet');
}
