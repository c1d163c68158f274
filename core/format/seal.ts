import { Bug } from '../errors.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { type Random, systemRandom } from './random.ts';
import type { SealingKey } from './stanza.ts';

/** Seals every plaintext value of a file's manifests; where there is none, the text comes back as it was. */
export function sealPlaintext(
  _file: ManifestFile,
  _keysFor: (manifest: Manifest) => readonly SealingKey[],
  _random: Random = systemRandom,
): { text: string; sealed: { manifest: Manifest; entry: string }[] } {
  throw new Bug('not written yet');
}

/** The file's new text with one value sealed (added or replaced). `plaintext` stays the caller's to wipe. */
export function setEntry(
  _file: ManifestFile,
  _manifestIndex: number,
  _entry: string,
  _plaintext: Uint8Array,
  _keys: readonly SealingKey[],
  _random: Random = systemRandom,
): string {
  throw new Bug('not written yet');
}

export function unsetEntry(_file: ManifestFile, _manifestIndex: number, _entry: string): string {
  throw new Bug('not written yet');
}
