import { Bug, CofferError } from '../../core/errors.ts';
import type { Manifest, ManifestFile } from '../../core/format/manifest/manifest.ts';
import { Flags } from '../base-command.ts';

/** `--document` of the commands that change or open one manifest of a file that may hold several. */
export const documentFlag = Flags.string({
  description: 'which manifest, where the file holds several',
  helpValue: 'NAMESPACE/NAME',
});

/**
 * The index, in `file.manifests`, of the manifest that was asked for; the only one if none was. Throws
 * DOCUMENT_NOT_FOUND and DOCUMENT_AMBIGUOUS.
 */
export function selectManifest(file: ManifestFile, wanted: string | undefined): number {
  const titles = file.manifests.map(({ namespace, name }) => `${namespace}/${name}`);
  const matching = [...titles.keys()].filter((index) => wanted === undefined || titles[index] === wanted);
  const [index, ...more] = matching;
  if (index !== undefined && more.length === 0) return index;
  if (index === undefined) {
    throw new CofferError('DOCUMENT_NOT_FOUND', `${file.file} holds no manifest ${wanted ?? ''}`.trimEnd(), {
      advice: titles.length === 0 ? 'Name a file that holds a manifest.' : `It holds ${titles.join(', ')}.`,
      data: { file: file.file },
      exit: 2,
    });
  }
  throw new CofferError('DOCUMENT_AMBIGUOUS', `${file.file} holds several manifests`, {
    advice: `Choose one with --document: ${titles.join(', ')}.`,
    data: { file: file.file },
    exit: 2,
  });
}

/** The manifest itself beside its index. */
export function manifestOf(file: ManifestFile, wanted: string | undefined): { manifest: Manifest; index: number } {
  const index = selectManifest(file, wanted);
  const manifest = file.manifests[index];
  if (manifest === undefined) throw new Bug('a manifest was selected that is not there');
  return { manifest, index };
}

/** The indexes of all manifests of a file, or of the one that was asked for. */
export function manifestsToChange(file: ManifestFile, wanted: string | undefined): number[] {
  return wanted === undefined ? [...file.manifests.keys()] : [selectManifest(file, wanted)];
}
