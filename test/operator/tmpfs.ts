import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export const isRoot = process.geteuid?.() === 0;

/** A folder on tmpfs, as a projection wants it; removed after the test. */
export function onTmpfs(t: TestContext): string {
  return scratch(t, '/dev/shm');
}

/** A folder wherever temporary files are. */
export function onDisk(t: TestContext): string {
  return scratch(t, tmpdir());
}

function scratch(t: TestContext, parent: string): string {
  const directory = mkdtempSync(join(parent, 'coffer-test-'));
  atTheEnd(t, () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * After all else that is to be done after the test, since that is done in the order in which it was asked for: a folder is made
 * first, and processes that write into it are ended later.
 */
export function atTheEnd(t: Pick<TestContext, 'after'>, work: () => void | Promise<void>): void {
  t.after(() => t.after(work));
}

/** A tmpfs of its own of a few kilobytes. Needs root: says so and skips the test without it. */
export function smallTmpfs(t: TestContext, kilobytes: number): string | undefined {
  if (!isRoot) {
    t.skip('SKIPPED: mounting a small tmpfs needs root');
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'coffer-test-'));
  atTheEnd(t, () => {
    spawnSync('umount', ['-l', directory]);
    rmdirSync(directory);
  });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'coffer-test', directory], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`SKIPPED: a small tmpfs could not be mounted here (${String(error).split('\n')[0]})`);
    return undefined;
  }
  return directory;
}

/** Everything below a folder, with what matters of it: `mode uid:gid kind content-or-target`, keyed by path. */
export function snapshot(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string) => {
    const stat = lstatSync(join(directory, path));
    const kind = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : stat.isFile() ? 'file' : 'other';
    const content =
      kind === 'file'
        ? readFileSync(join(directory, path), 'latin1')
        : kind === 'link'
          ? readlinkSync(join(directory, path))
          : '';
    found[path] = `${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid} ${kind} ${content}`.trimEnd();
    if (kind === 'folder') for (const name of readdirSync(join(directory, path)).sort()) visit(join(path, name));
  };
  visit('.');
  return found;
}

/** What a reader sees: entries and their contents, through the links. */
export function readEntries(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory).sort()) {
    if (!name.startsWith('..')) found[name] = readFileSync(join(directory, name), 'utf8');
  }
  return found;
}

/** Changes a file that its owner made read-only, as its owner can. */
export function overwrite(path: string, text: string): void {
  chmodSync(path, 0o600);
  writeFileSync(path, text);
  chmodSync(path, 0o400);
}

export function relink(path: string, target: string): void {
  unlinkSync(path);
  symlinkSync(target, path);
}

/** Leaves no byte free. */
export function fillUp(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let size = 65_536; size >= 1; ) {
      try {
        writeSync(descriptor, Buffer.alloc(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
