import type { AuditLog } from '../../core/audit/log.ts';
import { Bug } from '../../core/errors.ts';
import type { SecretKeys } from '../../core/keys/key-directory.ts';
import type { Projector } from '../project/projector.ts';
import type { Accepted, Source } from '../source/source.ts';
import type { Status } from './status.ts';

export interface ReconcilerOptions {
  /** The recipient that this operator opens for. */
  cluster: string;
  stateDirectory: string;
  sources: readonly Source[];
  projectors: readonly Projector[];
  /** Those of the workloads that are listed: what the globs of scope cluster can reach. */
  namespaces: readonly string[];
  /** Read again for every commit; wiped by the reconciler. */
  secretKeys(): Promise<SecretKeys>;
  audit: AuditLog;
  /** A commit that removes a larger share of the secrets is held. */
  maxShare: number;
}

/** Makes what is projected equal to what the accepted states say. Calls may overlap; the work is done one batch at a time. */
export interface Reconciler {
  /** Brings back the last good state from the state directory, without asking any source. Resolves when it is projected. */
  start(): Promise<void>;
  /** Takes up a new state; it goes ahead of resyncs. Resolves when its work is done (or has failed, see `status`). */
  accept(state: Accepted): Promise<void>;
  /** Notes that a source could not be polled; `undefined`: that it could. */
  polled(source: string, error: unknown | undefined): void;
  /** Tries again what failed by the machine, and carries out what was confirmed. Cheap when there is nothing. */
  retry(): Promise<void>;
  /** Lets every projector look at what others changed, and opens and projects that again. */
  heal(where: 'disturbed' | 'all'): Promise<void>;
  status(): Status;
  close(): Promise<void>;
}

export async function openReconciler(_options: ReconcilerOptions): Promise<Reconciler> {
  throw new Bug('not written yet');
}
