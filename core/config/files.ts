import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isManifestPath, type RepositoryConfig } from './repository.ts';

/**
 * The files of a working tree in which manifests are looked for, as paths relative to `root`, sorted within a folder.
 * Symbolic links are not followed. `under`: a folder relative to `root`.
 */
export async function* listCandidates(root: string, config: RepositoryConfig, under = ''): AsyncIterable<string> {
  const entries = [];
  for await (const entry of await opendir(join(root, under))) entries.push(entry);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name)) yield* listCandidates(root, config, path);
    } else if (entry.isFile() && isManifestPath(config, path)) {
      yield path;
    }
  }
}

const SKIPPED = new Set(['.git', '.coffer', 'node_modules']);
