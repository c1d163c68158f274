import type { AuditRecord } from '../../core/audit/record.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';

/** What the rooms of this folder ask of the reconciler. */

export interface ReadRequest {
  /** Where it is used; a manifest of scope cluster may reach there from another namespace. */
  namespace: string;
  name: string;
  /** Those that the reader may have; what it throws is thrown before anything is recorded. */
  entries(manifest: Manifest): ReadonlySet<string>;
  /** An unchanged version is not opened and not recorded. */
  knownVersion?: string;
  /** Awaited before the record, where something is about to be opened. */
  confirm?(): Promise<void>;
  /** Who reads and why. */
  record: Partial<AuditRecord>;
}

export type ReadResult =
  | { version: string; unchanged: true }
  | { version: string; unchanged?: false; values: ReadonlyMap<string, Buffer>; wipe(): void };

export interface Reader {
  /** The record is on disk before anything is opened. Throws CofferError `SECRET_UNKNOWN`, and what opening throws. */
  read(request: ReadRequest): Promise<ReadResult>;
}
