import { Bug } from '../errors.ts';
import type { ManifestFile } from '../format/manifest/manifest.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import type { Opener } from '../opening/opener.ts';
import type { ProposedValue } from '../rotation/proposal.ts';

export interface RotateOptions {
  /** One for each listed recipient. */
  keys: readonly SealingKey[];
  now: Date;
  /** Needed where a former value is kept: it is bound to its entry, so it is opened, and sealed as ENTRY.previous. */
  opener?: Opener | undefined;
  /** Entry → plaintext, which stays the caller's to wipe: what a rotator made, the entry's own among them. Absent: generated. */
  values?: ReadonlyMap<string, Uint8Array>;
  /** False: no former value stays, whatever the manifest says. */
  keepPrevious?: boolean;
}

/** What one run made of one manifest: it goes into a `Proposal` as it is, or into the file by `placeValues`. */
export interface RotatedValues {
  values: readonly ProposedValue[];
  /** Data key id → recipient → `KID:b64u`. */
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/**
 * New values for an entry, and for what goes with it (`public`, other entries of its rotator), the former ones as ENTRY.previous.
 * `path` of the values is `file.file`. One data key for all of it.
 *
 * @throws CofferError ROTATE_UNKNOWN, ROTATE_BY_ROTATOR, ROTATE_PREVIOUS_NEEDS_KEY, MANIFEST_PLAINTEXT, ENTRY_*, SEALING_KEY_MISSING,
 *   and what `openManifest` throws
 */
export async function rotateEntry(
  _file: ManifestFile,
  _index: number,
  _entry: string,
  _options: RotateOptions,
): Promise<RotatedValues> {
  throw new Bug('not written yet');
}
