import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { flush } from '../../files/atomic.ts';

/**
 * Puts files into a log, whole or not at all: they are written and flushed in the directory itself, moved to where they belong,
 * and the folders that name them are flushed. Rejects with the system's error, and leaves nothing half done under its name.
 */
export async function placeFiles(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const folders = new Set<string>();
  const paths = [...files.keys()];
  const temporary = (path: string) => join(directory, temporaryName(path));
  try {
    await all([...files].map(([path, bytes]) => writeFile(temporary(path), bytes, { mode: 0o600, flush: true })));
    for (const path of paths) for (const above of await makeFolder(join(directory, dirname(path)))) folders.add(above);
    await all(paths.map((path) => rename(temporary(path), join(directory, path))));
  } catch (error) {
    await all(paths.map((path) => rm(temporary(path), { force: true })));
    throw error;
  }
  for (const path of paths) folders.add(join(directory, dirname(path)));
  await all([...folders].map(flush));
}

/** Waits for all, also where one fails: nothing is still writing when it rejects. */
async function all(writes: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(writes)) if (result.status === 'rejected') throw result.reason;
}

/** What a killed run left; nothing else writes in the directory. */
export async function removeTemporaryFiles(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => TEMPORARY.test(name));
  await all(names.map((name) => rm(join(directory, name))));
}

const TEMPORARY = /^\.[-a-z0-9.]+\.tmp$/;

function temporaryName(path: string): string {
  return `.${path.replaceAll('/', '-')}.tmp`;
}

/** The folder of a log, whose name is on disk when it resolves. */
export async function makeLogFolder(directory: string): Promise<void> {
  await all((await makeFolder(directory)).map(flush));
}

/** Returns those above what was made: they have new names, and are to be flushed. */
async function makeFolder(folder: string): Promise<string[]> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return [];
  const above: string[] = [];
  for (let at = resolve(folder); at.length >= resolve(first).length; at = dirname(at)) above.push(dirname(at));
  return above;
}
