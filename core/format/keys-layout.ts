import { Bug } from '../errors.ts';
import type { ManifestFile } from './manifest.ts';

/** Adds or replaces stanzas (data key id → recipient → `KID:b64u`) and removes all stanzas of some recipients. */
export function setStanzas(
  _file: ManifestFile,
  _manifestIndex: number,
  _add: ReadonlyMap<string, ReadonlyMap<string, string>>,
  _remove: Iterable<string>,
): string {
  throw new Bug('not written yet');
}
