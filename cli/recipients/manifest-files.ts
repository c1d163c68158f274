import { join } from 'node:path';
import { contents, type Tree } from '../../core/check/tree.ts';
import { isManifestPath } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { mayHoldCoffer } from '../../core/format/document/document.ts';
import type { Manifest, ManifestFile } from '../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { workingTree } from '../git/trees.ts';
import type { Workspace } from '../workspace/workspace.ts';

/** Every file of the working tree (`tree`, where that is known) that holds manifests; `broken` is told of those that cannot be read. */
export async function* manifestFiles(
  { root, config }: Workspace,
  broken: (error: CofferError) => void,
  tree?: Tree,
): AsyncGenerator<{ path: string; file: ManifestFile }> {
  const all = tree ?? (await workingTree(root));
  const files = [...all.files.values()].filter(({ path, kind }) => kind === 'file' && isManifestPath(config, path));
  for await (const { file, bytes } of contents(all, files)) {
    if (!mayHoldCoffer(bytes)) continue;
    try {
      const read = readManifestFile(bytes, file.path);
      if (read.manifests.length > 0) yield { path: file.path, file: read };
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      broken(error);
    }
  }
}

/**
 * Changes each manifest of a file in turn, and reads what comes of it as the operator would. Returns the file as it is then; it
 * is not written.
 */
export function changeManifests(
  file: ManifestFile,
  change: (file: ManifestFile, index: number) => string,
): ManifestFile {
  let current = file;
  for (const index of file.manifests.keys()) {
    const text = change(current, index);
    if (text !== current.text) current = readManifestFile(Buffer.from(text), file.file);
  }
  return current;
}

/** Writes the files whose text is another now; their paths. */
export async function writeChanged(
  { root }: Workspace,
  changed: ReadonlyMap<string, { before: string; after: string }>,
): Promise<string[]> {
  const paths: string[] = [];
  for (const [path, { before, after }] of changed) {
    if (before === after) continue;
    await writeFileAtomically(join(root, path), after);
    paths.push(path);
  }
  return paths;
}

export function titleOf({ namespace, name }: Pick<Manifest, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
