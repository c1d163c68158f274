import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';

/** Reads a file as manifests; errors name it as it was typed. Throws MANIFEST_NONE when it holds none. */
export async function readManifests(file: string): Promise<ManifestFile> {
  const read = readManifestFile(await readFile(file), file);
  if (read.manifests.length > 0) return read;
  throw new CofferError('MANIFEST_NONE', 'the file holds no EncryptedSecret', {
    advice: file.endsWith('.ejson')
      ? 'For ejson files there is `coffer ejson`.'
      : 'Name a manifest, or make one with `coffer new NAMESPACE/NAME`.',
    data: { file },
  });
}

/**
 * Replaces a file by `text`, after reading that as the operator would: an edit that does not hold together (a template
 * that names a removed entry) changes nothing. `file` is the path as it was typed.
 */
export async function writeManifests(file: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  readManifestFile(bytes, file);
  await writeFileAtomically(file, bytes);
}
