import { CofferError, type ErrorData } from '../../core/errors.ts';

/** What stands in the way, in words that are safe to publish. */
export interface Trouble {
  code: string;
  message: string;
  advice: string;
  data: ErrorData;
}

export interface SecretStatus {
  namespace: string;
  name: string;
  source?: string;
  path?: string;
  /**
   * `ready`: the newest manifest is projected. `failed`: it is not, and what was projected before still is. `held`: its removal
   * waits for a person. `retained`: its manifest is gone and it stays.
   */
  state: 'pending' | 'ready' | 'failed' | 'held' | 'retained';
  /** The commit whose manifest is projected. */
  commit?: string;
  trouble?: Trouble;
  /** Failed, and tried again without anybody's doing. */
  isRetried?: boolean;
  /** The commit since which it is in trouble. */
  since?: string;
  /** Held: the commit that a person has to confirm. */
  heldBy?: string;
  /** Id of the recipient's key that opens it. */
  keyId?: string;
  /** When what is projected changed last, RFC 3339 in UTC; absent where that is not remembered. */
  changedAt?: string;
  /** What git says of the EncryptedSecret object of this name, where somebody else than the operator applies one. */
  verified?: Verified;
  /** NAMESPACE/NAME of those that have it. */
  workloads: string[];
}

export interface Verified {
  status: 'True' | 'False';
  /**
   * `Vouched`: an accepted commit has it. `Behind`: one had it, and a newer one has another of this name. `Differs`: the newest has
   * another. `NoCommit`: none has it.
   */
  reason: 'Vouched' | 'Behind' | 'Differs' | 'NoCommit';
  message: string;
  /** The commit that has it. */
  commit?: string;
}

export interface RefusedPath extends Trouble {
  path: string;
  /** What of the file. */
  aspect: string;
  commit: string;
  /** As the commit says it, which proves nothing. */
  author: { name: string; email: string };
}

export interface SourceStatus {
  id: string;
  address: string;
  /** The accepted commit. */
  commit?: string;
  /** Why it is the accepted one, and who signed it (or its endorsement), where somebody need. */
  basis?: string;
  signer?: { names: readonly string[]; key: string };
  /** RFC 3339 in UTC. */
  acceptedAt?: string;
  /** When a look at the source succeeded last, in an earlier run too; absent: that is not known. */
  lastSuccess?: string;
  /** Since when no look succeeded, where that is longer than it may be; RFC 3339 in UTC. */
  staleSince?: string;
  /** Since when nothing new came, where that is longer than it may be. */
  quietSince?: string;
  /** Files whose newest version is not taken; the one that was accepted before stays. */
  refused: RefusedPath[];
  /** Of the last poll, if it failed. */
  trouble?: Trouble;
  /** Commits whose removals wait for `--confirm COMMIT`, and the secrets that each would remove. */
  held: { commit: string; secrets: string[] }[];
  /** Files that could not be read, and claims that were refused. */
  problems: Trouble[];
}

/** A key of this cluster that it holds, or that is active. */
export interface OwnKeyStatus {
  id: string;
  /** `pending`: made, and no keyring lists it yet. */
  status: 'pending' | 'active' | 'retired' | 'revoked';
  /** RFC 3339 in UTC. */
  created: string;
  /** When it is to be followed by another, where the keyring sets a time. */
  due?: string;
  /** It is to be deleted, as a commit asks, and stays until then at least. */
  deleteAfter?: string;
  /** What in the accepted states is sealed to it; absent: there was never another key. */
  stanzas?: number;
}

/** Of values that are made anew: how many. */
export interface RotationStatus {
  /** Those that are to be made anew now. */
  due: number;
  /** Rotations that have begun and not ended. */
  underway: number;
  /** What stands in the way of them; each is among `problems`. */
  failed: number;
  /** Rotations that ended since the process started. */
  done: number;
}

/** What of a source somebody else may know, by the history that its clone has. */
export interface ExposureStatus {
  source: string;
  /** Current values that a lost key opens, or that are the same as one that it opens. */
  live: number;
  /** Current values that were sealed anew and are not proven to be other ones. */
  resealed: number;
  /** Whether the clone reaches back to the first commit; else there may be more. */
  isWhole: boolean;
}

export interface Status {
  /** Absent before the first work on it has ended. */
  exposure?: readonly ExposureStatus[];
  /** Absent before the first look. */
  rotations?: RotationStatus;
  /** Newest first; absent before the first look. */
  keys?: readonly OwnKeyStatus[];
  sources: SourceStatus[];
  secrets: SecretStatus[];
  /** What concerns no one secret: workloads that could not be told of a change, a log that cannot be written. */
  problems: Trouble[];
}

/** An error as it is published. What is no CofferError is a fault of ours, and its text stays in the log. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof CofferError) {
    const { code, message, advice, data } = error;
    return { code, message, advice, data };
  }
  return {
    code: 'BUG',
    message: 'something happened that coffer rules out',
    advice: 'Look into the operator’s log, and report it.',
    data: {},
  };
}
