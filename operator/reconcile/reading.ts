import type { AuditAction, AuditRecord } from '../../core/audit/record.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';

export interface ReadRequest {
  namespace: string;
  name: string;
  /** Which entries (of `data` and `template.data`) the manifest lets the asker have; none: nothing is opened. */
  entries(manifest: Manifest): ReadonlySet<string>;
  /** What the asker has: the same version is not opened again. */
  knownVersion?: string;
  /** Awaited before the record, where something is about to be opened: the last look whether that may be. What it throws is thrown. */
  confirm?(): Promise<void>;
  /** Who asks, and why. */
  record: Partial<AuditRecord> & { action: AuditAction };
}

export interface UnchangedReading {
  version: string;
  unchanged: true;
}

export interface OpenedReading {
  /** A digest of ciphertext, templates and entry names; it tells nothing of values. */
  version: string;
  unchanged?: false;
  values: ReadonlyMap<string, Buffer>;
  /** The commit that brought the manifest; absent where none did. */
  commit?: string;
  keyIds: readonly string[];
  /** Zeroes the values. */
  wipe(): void;
}

export type Reading = UnchangedReading | OpenedReading;
