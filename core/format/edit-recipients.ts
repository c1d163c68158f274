import { Bug } from '../errors.ts';
import type { ManifestFile } from './manifest.ts';

/** Lists these recipients, in this order. Stanzas are not touched: see setStanzas. */
export function setRecipients(_file: ManifestFile, _manifestIndex: number, _names: readonly string[]): string {
  throw new Bug('not written yet');
}
