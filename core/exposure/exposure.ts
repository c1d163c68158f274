import type { LostKey } from './lost-keys.ts';
import type { Moment } from './moment.ts';

/**
 * `live`: the current value is this sealed text, or was compared with it and is the same. `resealed`: the current value is another
 * text that nobody has proven to be another value, or an entry of another name may have it. `changed`: it was proven. `removed`: the
 * entry is gone. `elsewhere`: no current commit has the entry, the tip of another branch still has this text. `public`: the current
 * manifest says that the entry is no secret.
 */
export type ExposureState = 'live' | 'resealed' | 'changed' | 'removed' | 'elsewhere' | 'public';

/** A key that could open a value. */
export interface ExposedTo {
  kid: string;
  /** As the keyring, or else the stanza, names its owner. */
  recipient: string;
  /** The group whose key this one opens; the value is sealed to that. */
  group?: { name: string; kid: string };
  /** Since both the sealed value and the way to its data key are in the history. */
  from: Moment;
}

/** One sealed text in one entry: a value that somebody could have read. */
export interface Exposed {
  /** Namespace and name are empty where its file could never be read; the entry is what stands before the text then. */
  namespace: string;
  name: string;
  entry: string;
  /** Of all files that had it, sorted. */
  paths: readonly string[];
  dataKeyId: string;
  /** Text digest (text-digest.ts). */
  text: string;
  /** Empty where it was asked for by its writer. */
  keys: readonly ExposedTo[];
  /** Who wrote it, and when: the first commit that has the sealed text there. */
  written: Moment;
  /** When it became readable; by its writer, when it was written. */
  from: Moment;
  /** Since when it is not in the entry any more, on the current line; absent: it is, or never was. */
  until?: Moment;
  state: ExposureState;
  /** Branches whose tip still has it in this entry, beside the current commits. */
  branches: readonly string[];
}

/** A current value that somebody else may know. */
export interface Living {
  /** Empty where the file cannot be read. */
  namespace: string;
  name: string;
  entry: string;
  path: string;
  /** Text digest. */
  text: string;
  /** `resealed`: it was not compared with every exposed text that the entry had. */
  state: 'live' | 'resealed';
  /** Who makes it anew, where the manifest says so; else a person. */
  rotation?: 'generate' | 'rotator';
}

/** Two sealed texts that nobody has compared yet. */
export interface Unproven {
  current: { namespace: string; name: string; entry: string; path: string; text: string };
  former: { namespace: string; name: string; entry: string; text: string };
}

/** What openers found when they compared two sealed texts; from a log that was verified. */
export interface Comparisons {
  outcome(text: string, other: string): 'changed' | 'same' | undefined;
}

/** What is looked for. `writer`: all that one person or machine wrote; told for each commit that brought a value. */
export type Selection =
  | { kind: 'keys'; kids: ReadonlySet<string> }
  | { kind: 'recipient'; name: string }
  /**
   * All keys that are lost. `says`: whose word counts that a key is revoked: any commit's; that of any commit which the current ones
   * reach; or only that of the current state, where others than those who may revoke can commit. `known`: keys that were revoked, too.
   */
  | { kind: 'revoked'; says?: 'any' | 'line' | 'current'; known?: ReadonlySet<string> }
  | { kind: 'writer'; isWriter: (commit: string) => boolean }
  | { kind: 'all' };

export interface ExposureQuery {
  select: Selection;
  /** The commits whose values count as current. */
  current: readonly string[];
  /** Where files are held back: what counts as current in their place (read-history.ts, readDifference). */
  instead?: ReadonlyMap<number, number | undefined> | undefined;
  /** All commits whose history is searched, with the names of refs; tips of branches may hold values that no current commit has. */
  heads: readonly { ref: string; commit: string; isBranch: boolean }[];
  compared?: Comparisons | undefined;
  signal?: AbortSignal | undefined;
  /** Only what became readable at that time or later, in seconds since 1970: a commit that claims to be older than what it follows is not believed. */
  since?: number | undefined;
}

export interface ExposureReport {
  values: readonly Exposed[];
  /** What of the current commits has to be replaced, or compared. */
  living: readonly Living[];
  /** What an opener should compare. */
  unproven: readonly Unproven[];
  /** The keys that were looked for, groups' included. */
  keys: readonly (Omit<LostKey, 'since'> & { since?: Moment })[];
  /** So many commits were searched. */
  commits: number;
  /** Commits that could not be compared, with a code: what is found is not all. */
  gaps: readonly { commit: string; code: string }[];
  /** Files of ejson in the current commits: their values are not looked at. */
  ejsonFiles: number;
}
