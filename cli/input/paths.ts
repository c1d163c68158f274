import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { isSystemError } from '../../core/files/system-error.ts';

/** The repository that the arguments (absent: the working directory) are in, and the arguments as paths from its root. */
export async function pathsFrom(
  typed: readonly string[],
  findRoot: (from: string) => Promise<string>,
): Promise<{ root: string; paths: string[] }> {
  const first = typed[0];
  const root = await findRoot(first === undefined ? process.cwd() : await folderOf(first));
  return { root, paths: typed.map((path) => pathFrom(root, path)) };
}

/** Whether `path` is one of `paths` or in one of them; with none every path is. */
export function isUnder(path: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some((one) => one === '' || path === one || path.startsWith(`${one}/`));
}

/** A mistyped path must not pass as one under which nothing is wrong. Throws PATH_UNKNOWN. */
export function refuseUnknown(paths: readonly string[], files: ReadonlyMap<string, unknown>): void {
  for (const path of paths) {
    if (files.has(path) || [...files.keys()].some((file) => isUnder(file, [path]))) continue;
    throw new CofferError('PATH_UNKNOWN', `${path} is no file or folder of the repository`, {
      advice: 'Check the path. Files that git ignores are not looked at.',
      data: { path },
      exit: 2,
    });
  }
}

/** Throws PATH_OUTSIDE. */
export function pathFrom(root: string, typed: string): string {
  const path = relative(root, resolve(typed)).split(sep).join('/');
  if (path !== '..' && !path.startsWith('../')) return path;
  throw new CofferError('PATH_OUTSIDE', `${typed} is not in the repository ${root}`, {
    advice: 'Name paths of one repository at a time.',
    data: { path: typed },
    exit: 2,
  });
}

/** The folder to start from. A path that is gone may still be staged or in history, so its parent will do. */
async function folderOf(typed: string): Promise<string> {
  let folder = resolve(typed);
  while (!(await isFolder(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Whether a file or folder of this name, from the working directory, is there. */
export async function isThere(path: string): Promise<boolean> {
  return (await statOrNothing(path)) !== undefined;
}

async function isFolder(path: string): Promise<boolean> {
  return (await statOrNothing(path))?.isDirectory() === true;
}

async function statOrNothing(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
