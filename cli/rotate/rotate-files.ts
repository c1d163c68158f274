import { resolve } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { refuseNoHistory } from '../git/first-seen.ts';
import { manifestsToChange } from '../input/select-document.ts';
import { manifestFiles } from '../recipients/manifest-files.ts';
import { readManifests, writeManifests } from '../workspace/manifest-file.ts';
import { type OpenKeys, openKeysIfAny } from '../workspace/open-keys.ts';
import { openWorkspace, openWorkspaceOf } from '../workspace/workspace.ts';
import { type ExposedTexts, exposedTexts } from './exposed-entries.ts';
import { type RotatedManifest, type RotateTools, type RotateWanted, rotateFile } from './rotate-file.ts';

export interface RotatedFile {
  /** From the root. */
  path: string;
  changed: boolean;
  manifests: RotatedManifest[];
}

/**
 * Rotates in one file, or with `onlyDue` in all of the repository, each file as a whole or not at all. What fails of several is
 * reported, and the others go on. Throws ROTATE_NO_FILE; with `onlyDue` HISTORY_* and EXPOSURE_*.
 */
export async function rotateFiles(
  wanted: RotateWanted & { file: string | undefined; document: string | undefined; keyDirectory: string | undefined },
  { warn, report }: { warn: (message: string) => void; report: (error: unknown) => void },
): Promise<{ root: string; files: RotatedFile[] }> {
  const { file } = wanted;
  if (file === undefined && !wanted.onlyDue) throw noFile();
  const workspace = file === undefined ? await openWorkspace() : await openWorkspaceOf(file);
  let keys: Promise<OpenKeys | undefined> | undefined;
  const opener = async () => {
    keys ??= openKeysIfAny(workspace.keyring, { 'key-dir': wanted.keyDirectory });
    return (await keys)?.opener;
  };
  const { root } = workspace;
  const hasHistory = await knowsAges(root, wanted.onlyDue, warn);
  const exposed: ExposedTexts = wanted.onlyDue ? await exposedTexts(root) : new Set();
  const now = new Date();
  const files: RotatedFile[] = [];
  const rotate = async (path: string, read: ManifestFile, target: string) => {
    const tools: RotateTools = { workspace, path, opener, now, hasHistory, exposed, warn };
    const { text, manifests } = await rotateFile(read, manifestsToChange(read, wanted.document), wanted, tools);
    const changed = text !== read.text;
    if (changed) await writeManifests(target, text);
    files.push({ path, changed, manifests });
  };
  try {
    if (file !== undefined) {
      await rotate(workspace.pathOf(file), await readManifests(file), file);
    } else {
      for await (const { path, file: read } of manifestFiles(workspace, report)) {
        if (read.manifests.every(({ rotation }) => rotation.size === 0)) continue;
        try {
          await rotate(path, read, resolve(root, path));
        } catch (error) {
          report(error);
        }
      }
    }
  } finally {
    (await keys)?.close();
  }
  return { root, files };
}

/** Without history nothing is due; who asks for something by name loses no more than that former values stay. */
async function knowsAges(root: string, isNeeded: boolean, warn: (message: string) => void): Promise<boolean> {
  try {
    await refuseNoHistory(root);
    return true;
  } catch (error) {
    if (isNeeded || !(error instanceof CofferError) || !error.code.startsWith('HISTORY_')) throw error;
    warn(`former values stay where they are: ${error.message}`);
    return false;
  }
}

function noFile(): CofferError {
  return new CofferError('ROTATE_NO_FILE', 'Nothing says what is to be rotated.', {
    advice: 'Name a manifest, or `--due` for all of the repository that is due.',
    exit: 2,
  });
}
