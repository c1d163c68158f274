import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LARGEST_READ, type Tree, type TreeFile } from '../../core/check/tree.ts';
import { undefinedIfMissing } from '../../core/files/system-error.ts';
import { git, gitIfInstalled, gitOrNothing, nulSeparated, readBlobs } from './git.ts';

const SYMLINK_MODE = '120000';
const SUBMODULE_MODE = '160000';

/** The working tree under `root`: what git tracks or would add; without git every file. */
export async function workingTree(root: string): Promise<Tree> {
  const paths = (await pathsOfGit(root)) ?? (await pathsUnder(root, ''));
  const found = new Map<string, Stats>();
  const stats = await Promise.all(paths.map((path) => lstat(join(root, path)).catch(undefinedIfMissing)));
  for (const [index, path] of paths.entries()) {
    const stat = stats[index];
    if (stat?.isFile() === true || stat?.isSymbolicLink() === true) found.set(path, stat);
  }
  const files = new Map(
    [...found].map(([path, stat]): [string, TreeFile] => [
      path,
      { path, kind: stat.isSymbolicLink() ? 'symlink' : 'file' },
    ]),
  );
  const read = async ({ path, kind }: TreeFile) => {
    if (kind === 'symlink') return Buffer.from(await readlink(join(root, path)));
    return (found.get(path)?.size ?? 0) > LARGEST_READ ? undefined : await readFile(join(root, path));
  };
  return { files, read: (wanted) => Promise.all(wanted.map(read)) };
}

/** What the next commit would hold. A path with an unresolved conflict counts with our side of it. */
export async function stagedTree(root: string): Promise<Tree> {
  const ids = new Map<string, string>();
  const files = new Map<string, TreeFile>();
  for (const line of nulSeparated(await git(root, ['ls-files', '--stage', '-z']))) {
    const [, mode, id, path] = /^(\d+) ([0-9a-f]+) \d\t(.*)$/s.exec(line) ?? [];
    if (mode === undefined || id === undefined || path === undefined || mode === SUBMODULE_MODE) continue;
    if (files.has(path)) continue;
    ids.set(path, id);
    files.set(path, { path, kind: mode === SYMLINK_MODE ? 'symlink' : 'file' });
  }
  const read = (wanted: readonly TreeFile[]) =>
    readBlobs(
      root,
      wanted.map(({ path }) => ids.get(path) ?? ''),
      LARGEST_READ,
    );
  return { files, read };
}

/** What the next commit would add or change; everything if there is no commit yet. */
export async function stagedPaths(root: string): Promise<Set<string>> {
  const head = await gitOrNothing(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  const changed =
    head === undefined
      ? await git(root, ['ls-files', '-z'])
      : await git(root, ['diff', '--cached', '--name-only', '--no-renames', '--diff-filter=d', '--relative', '-z']);
  return new Set(nulSeparated(changed));
}

async function pathsOfGit(root: string): Promise<string[] | undefined> {
  const listed = await gitIfInstalled(root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  return listed && [...new Set(nulSeparated(listed))];
}

async function pathsUnder(root: string, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) paths.push(path);
    else if (entry.name !== '.git' && entry.name !== 'node_modules') paths.push(...(await pathsUnder(root, path)));
  }
  return paths;
}
