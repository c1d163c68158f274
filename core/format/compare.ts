import { Bug } from '../errors.ts';
import type { ManifestFile } from './manifest.ts';

/** What a reviewer wants to know of a change, without any value. */
export interface ManifestChange {
  namespace: string;
  name: string;
  what: 'manifest' | 'entry' | 'template' | 'recipient' | 'reader' | 'stanza' | 'field';
  /** Of the entry, recipient, reader or field; empty for the manifest itself. */
  subject: string;
  change: 'added' | 'removed' | 'changed';
}

export function compareManifests(_before?: ManifestFile, _after?: ManifestFile): ManifestChange[] {
  throw new Bug('not written yet');
}
