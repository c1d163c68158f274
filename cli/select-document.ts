import { Bug, CofferError } from '../core/errors.ts';
import type { Manifest, ManifestFile } from '../core/format/manifest.ts';
import { Flags } from './base-command.ts';

/** `--document`, of the commands that work on one manifest of a file. */
export const documentFlag = Flags.string({
  description: 'which manifest, where the file holds several',
  helpValue: 'NAMESPACE/NAME',
});

/**
 * Where in `file.manifests` the named manifest is, or the only one. Throws DOCUMENT_AMBIGUOUS, DOCUMENT_NOT_FOUND.
 */
export function selectManifest(file: ManifestFile, wanted: string | undefined): number {
  const names = file.manifests.map((manifest) => `${manifest.namespace}/${manifest.name}`);
  if (wanted === undefined) {
    if (names.length === 1) return 0;
    throw usage('DOCUMENT_AMBIGUOUS', `the file holds ${names.length} manifests: ${names.join(', ')}`, file.file);
  }
  const index = names.indexOf(wanted);
  if (index !== -1) return index;
  throw usage(
    'DOCUMENT_NOT_FOUND',
    `the file does not hold the manifest that you named; it holds ${names.join(', ')}`,
    file.file,
  );
}

/** The manifest itself beside its place. */
export function manifestOf(file: ManifestFile, wanted: string | undefined): { manifest: Manifest; index: number } {
  const index = selectManifest(file, wanted);
  const manifest = file.manifests[index];
  if (manifest === undefined) throw new Bug('a manifest was selected that is not there');
  return { manifest, index };
}

function usage(code: string, message: string, file: string): CofferError {
  return new CofferError(code, message, {
    advice: 'Say which with --document NAMESPACE/NAME.',
    data: { file },
    exit: 2,
  });
}
