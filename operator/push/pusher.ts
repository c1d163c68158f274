import { Bug } from '../../core/errors.ts';
import type { Proposal } from '../../core/rotation/proposal.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { Log } from '../process/log.ts';
import type { GitSourceConfig } from '../source/open-git-source.ts';
import type { Source } from '../source/source.ts';

export interface Pushed {
  /** Object id of the commit that has it. */
  commit: string;
  /** Without `refs/heads/`. */
  branch: string;
}

/** Puts what an operator proposes into the repository of a source, in commits that its identity signs. */
export interface Pusher {
  /**
   * 'nothing': the accepted commit has all of it, as far as it still fits. `message`: of the commit, subject and body.
   * Throws CofferError, all with loop `retry`: PUSH_WAITS (the branch has commits that this source did not accept, or nothing is
   * accepted yet), PUSH_RACE (somebody was first), PUSH_REJECTED (the server keeps its branch), PUSH_FORBIDDEN (the credentials may
   * not), PUSH_UNSIGNED (no identity yet), SOURCE_…, SSH_…
   */
  push(proposal: Proposal, message: string, signal: AbortSignal): Promise<Pushed | 'nothing'>;
  close(): void;
}

export interface PusherOptions {
  /** With `push`. */
  git: GitSourceConfig;
  source: Source;
  /** Whose identity signs. */
  cluster: string;
  keys: Pick<KeyStore, 'readIdentity' | 'place'>;
  stateDirectory: string;
  now: () => Date;
  log: Pick<Log, 'info'>;
  /** Told when the repository has what the source has not seen: a look now, and the push goes on. */
  isBehind?: () => void;
}

/** Touches neither network nor files. Throws what the settings of a source can be wrong in. */
export function openPusher(_options: PusherOptions): Pusher {
  throw new Bug('not written yet');
}
