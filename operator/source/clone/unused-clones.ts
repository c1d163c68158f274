import { existsSync } from 'node:fs';
import { lstat, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file in a clone: its time is that of the first start without the source. */
const UNUSED = 'coffer-unused';
/** Before the name of what is to be removed: killed in the midst of it, nothing is left that looks like a clone, and the next start goes on. */
const GONE = '.gone-';
/** As `Source.id`. */
const ID = /^[0-9a-f]{16}$/;
/** What every clone of ours has, from its first moment on. */
const OURS = ['HEAD', 'objects', 'refs/coffer'];
/** In milliseconds: who takes a source out of the configuration by mistake, or for a day, loses nothing. */
const KEPT = 7 * 24 * 3_600_000;

export interface Unused {
  source: string;
  /** Else it goes with the first start after this. */
  isRemoved: boolean;
  until: Date;
}

/**
 * Removes the clones below `folder` whose sources have not been configured for a week: as many as there were sources, each of some
 * GiB at most, would stay for ever. What was accepted of them is remembered beside the clones, so that a source which comes back goes
 * on from there. Whatever is not a clone of ours is left.
 */
export async function removeUnused(folder: string, used: ReadonlySet<string>, now: Date): Promise<Unused[]> {
  const unused: Unused[] = [];
  if (!existsSync(folder)) return unused;
  for (const source of (await readdir(folder)).sort()) {
    const clone = join(folder, source);
    const mark = join(clone, UNUSED);
    if (!(await isOurs(source, clone))) continue;
    if (used.has(source)) {
      await rm(mark, { force: true });
      continue;
    }
    const until = new Date((await since(mark, now)).getTime() + KEPT);
    const isRemoved = until <= now;
    if (isRemoved) await rename(clone, join(folder, `${GONE}${source}`));
    unused.push({ source, isRemoved, until });
  }
  for (const name of await readdir(folder)) if (isGone(name)) await rm(join(folder, name), { recursive: true });
  return unused;
}

function isGone(name: string): boolean {
  return name.startsWith(GONE) && ID.test(name.slice(GONE.length));
}

/** A link is none, wherever it leads. */
async function isOurs(name: string, clone: string): Promise<boolean> {
  if (!ID.test(name) || !(await lstat(clone)).isDirectory()) return false;
  return OURS.every((part) => existsSync(join(clone, part)));
}

async function since(mark: string, now: Date): Promise<Date> {
  if (!existsSync(mark)) {
    await writeFile(mark, '', { mode: 0o600 });
    await utimes(mark, now, now);
  }
  return (await lstat(mark)).mtime;
}
