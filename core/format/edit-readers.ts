import { Bug } from '../errors.ts';
import type { ManifestFile } from './manifest.ts';

/** Grants a reader entries (undefined: all of them) instead of what it had. */
export function setReader(
  _file: ManifestFile,
  _manifestIndex: number,
  _reader: string,
  _entries: readonly string[] | undefined,
): string {
  throw new Bug('not written yet');
}

export function removeReader(_file: ManifestFile, _manifestIndex: number, _reader: string): string {
  throw new Bug('not written yet');
}
