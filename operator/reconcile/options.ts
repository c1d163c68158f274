import type { AuditLog } from '../../core/audit/log.ts';
import type { SecretKeys } from '../../core/keys/key-directory.ts';
import type { Projector } from '../project/projector.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Source } from '../source/source.ts';
import type { ReachableNamespaces } from './namespaces.ts';
import type { CarriedObjects } from './objects/carried-objects.ts';

export interface ReconcilerOptions {
  /** The recipient that this operator opens for. */
  cluster: string;
  stateDirectory: string;
  sources: readonly Source[];
  projectors: readonly Projector[];
  /** EncryptedSecret objects that others apply; absent: nobody looks at them. */
  objects?: CarriedObjects;
  /** Where people see how secrets are doing; absent: in the status only. */
  publisher?: Publisher;
  /** What the globs of scope cluster can reach. */
  namespaces: ReachableNamespaces;
  /** Read again for every batch of work, and wiped after it. */
  secretKeys(): Promise<SecretKeys>;
  audit: AuditLog;
  /** A commit that removes a larger share of a source's secrets is held. */
  maxShare: number;
  /** Ends work between batches, and commands that tell workloads; what waits is taken up at the next start. */
  signal?: AbortSignal;
  /** Milliseconds between tries of a secret that the machine made fail: the first, doubled up to the longest. */
  backOff?: { first: number; longest: number };
  /** Absent: the machine's clock. */
  now?: () => Date;
}
