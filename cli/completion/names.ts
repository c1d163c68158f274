import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findRoot } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';

/** The recipients of the repository around the working directory; none where there is none. */
export function recipientNames(): Promise<string[]> {
  return orNone(async () => {
    const files = await readdir(join(await findRoot(process.cwd()), '.coffer', 'recipients'));
    return files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length));
  });
}

/** The entries of the manifests of a file; none where they cannot be read. */
export function entryNames(file: string | undefined): Promise<string[]> {
  return orNone(async () => {
    if (file === undefined) return [];
    const { manifests } = readManifestFile(await readFile(file), file);
    return [...new Set(manifests.flatMap(({ entries }) => [...entries.keys()]))];
  });
}

/** Somebody is in the middle of typing: what cannot be found is not offered, and nothing is said about it. */
async function orNone(find: () => Promise<string[]>): Promise<string[]> {
  try {
    return (await find()).toSorted();
  } catch (error) {
    if (error instanceof CofferError || fromSystemError(error) !== undefined) return [];
    throw error;
  }
}
