import { CofferError } from '../../core/errors.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';

/**
 * One entry's value in a version of a file, to be shown: as a JSON string, or as base64 if it is no text. What cannot be
 * opened with these keys is said in place of it.
 */
export function reveal(
  file: ManifestFile | undefined,
  secret: string,
  entry: string,
  opener: Opener,
): string | undefined {
  const manifest = file?.manifests.find(({ namespace, name }) => `${namespace}/${name}` === secret);
  if (manifest === undefined || !(manifest.entries.has(entry) || manifest.template.data.has(entry))) return undefined;
  const waiting = manifest.entries.get(entry);
  if (waiting?.kind === 'plaintext') return shown(waiting.bytes);
  try {
    const opened = openManifest(manifest, opener, [entry]);
    try {
      return shown(opened.values.get(entry) ?? Buffer.alloc(0));
    } finally {
      opened.wipe();
    }
  } catch (error) {
    if (error instanceof CofferError) return `(cannot be opened: ${error.code})`;
    throw error;
  }
}

function shown(value: Buffer): string {
  try {
    return JSON.stringify(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value));
  } catch (error) {
    if (error instanceof TypeError) return `base64:${value.toString('base64')}`;
    throw error;
  }
}
