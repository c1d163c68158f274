import type { ErrorData } from '../../core/errors.ts';

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
  source: string;
  path: string;
  /** `ready`: the newest manifest is projected. `failed`: what was projected before still is. `held`: its removal waits for a person. */
  state: 'ready' | 'failed' | 'held' | 'retained';
  /** The commit whose manifest is projected. */
  commit?: string;
  trouble?: Trouble;
  /** The commit since which it is in trouble. */
  since?: string;
  workloads: string[];
}

export interface SourceStatus {
  id: string;
  address: string;
  /** The accepted commit. */
  commit?: string;
  /** Of the last poll that failed; absent when the last one succeeded. */
  trouble?: Trouble;
  /** Removals held for this commit until `--confirm` names it. */
  held: { commit: string; secrets: string[] }[];
  /** Files that could not be read, and claims that were refused. */
  problems: Trouble[];
}

export interface Status {
  sources: SourceStatus[];
  secrets: SecretStatus[];
}
