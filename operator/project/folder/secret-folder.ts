import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type BigIntStats, closeSync, fstatSync, fsyncSync, readSync } from 'node:fs';
import { Bug } from '../../../core/errors.ts';
import { type Anchor, type Holder, systemCode } from './open-folder.ts';

/**
 * The folder of one secret, as kubelet lays it out. Entry names never begin with `..` (docs/format.md, "Files and strings"),
 * so ours do:
 *
 *   ..coffer                       mark of ownership
 *   ..2026_11_21_09_00_00.1f2e3d4c one set of entries: files, never written again
 *   ..data                      →  the set that counts; replaced by renaming a new symlink over it
 *   ENTRY                       →  ..data/ENTRY
 *
 * Links to new entries are made before the swap and those of removed ones taken away after it: a link whose entry is not
 * in the set that counts opens nothing. So whoever opens ENTRY finds the old set until the swap and the new one after it.
 */
export type EntrySet = ReadonlyMap<string, Uint8Array>;

/** `different`: a reader sees other entries or bytes than wanted. `disturbed`: the bytes are right, something about them is not. */
export type Comparison = 'same' | 'disturbed' | 'different';

export interface WriteOptions {
  holder: Holder;
  /** Whether files and folders are flushed: for a disk. On tmpfs there is nothing to flush to. */
  durable: boolean;
}

export const MARK = '..coffer';
const DATA = '..data';
const NEXT = '..next';
const SET = /^\.\.[0-9]{4}(_[0-9]{2}){5}\.[0-9a-f]{8}$/;
const NEW = '..new-';
const OLD = '..old-';

/** Those of the values that a workload may read. */
export function selectEntries(values: EntrySet, entries: ReadonlySet<string>): EntrySet {
  const selected = new Map<string, Uint8Array>();
  for (const entry of entries) {
    const bytes = values.get(entry);
    if (bytes === undefined) throw new Bug('an entry of the audience without a value');
    selected.set(entry, bytes);
  }
  return selected;
}

/** Makes a secret's folder with its first set; it appears whole under its name, which nothing else may have. */
export function createSecretFolder(
  parent: Anchor,
  name: string,
  mark: Uint8Array,
  entries: EntrySet,
  options: WriteOptions,
): void {
  const fresh = NEW + randomBytes(8).toString('hex');
  parent.makeFolder(fresh, 0o700);
  try {
    parent.within(fresh, (folder) => {
      folder.writeFile(MARK, mark, 0o444);
      swapIn(folder, entries, options);
      folder.give(options.holder);
      if (options.durable) fsyncSync(folder.descriptor);
    });
    parent.rename(fresh, name);
    if (options.durable) fsyncSync(parent.descriptor);
  } catch (error) {
    parent.remove(fresh);
    throw error;
  }
}

/**
 * Puts a new set in the place of whatever the folder shows, and everything else about the folder in order. Returns the name of
 * the set that was replaced: it is still there, for `removeSet`.
 */
export function replaceEntries(folder: Anchor, entries: EntrySet, options: WriteOptions): string | undefined {
  const old = currentSet(folder);
  folder.give(options.holder);
  try {
    swapIn(folder, entries, options);
  } finally {
    tidy(folder, (name) => isSet(name));
    folder.give(options.holder);
    if (options.durable) fsyncSync(folder.descriptor);
  }
  return old;
}

/** Removes a set, unless it is the one that counts. */
export function removeSet(folder: Anchor, name: string): void {
  if (currentSet(folder) !== name) folder.remove(name);
}

/** Takes a secret's folder away: out of sight at once, then file by file. */
export function removeSecretFolder(parent: Anchor, name: string): void {
  const old = OLD + randomBytes(8).toString('hex');
  parent.rename(name, old);
  parent.remove(old);
}

/** Removes folders that a killed run was making or taking away. */
export function removeLeftovers(parent: Anchor): void {
  for (const name of parent.names()) if (name.startsWith(NEW) || name.startsWith(OLD)) parent.remove(name);
}

/** Removes from a folder what belongs neither to its layout nor to the set that counts, unless it is spared. */
export function tidy(folder: Anchor, isSpared: (name: string) => boolean = () => false): void {
  const current = currentSet(folder);
  const entries = new Set(current === undefined ? [] : listSet(folder, current));
  folder.removeAllBut((name) => {
    if (name === MARK || name === current || (name === DATA && current !== undefined) || isSpared(name)) return true;
    return entries.has(name) && folder.targetOf(name) === target(name);
  });
}

/** Compares what is there, byte for byte, with what should be; trusts nothing and follows no link but its own. */
export function compareEntries(folder: Anchor, entries: EntrySet, holder: Holder): Comparison {
  const current = currentSet(folder);
  if (current === undefined) return 'different';
  const names = folder.names().filter((name) => !isSet(name));
  for (const entry of entries.keys()) if (folder.targetOf(entry) !== target(entry)) return 'different';
  const asLaidOut = names.length === entries.size + 2 && isHeld(folder.stat(), holder);
  const set = openSet(folder, current);
  if (set === undefined) return 'different';
  try {
    if (set.names().length !== entries.size) return 'different';
    let worst: Comparison = asLaidOut && isHeld(set.stat(), holder) ? 'same' : 'disturbed';
    for (const [entry, bytes] of entries) {
      const comparison = compareFile(set, entry, bytes, holder);
      if (comparison === 'different') return 'different';
      if (comparison === 'disturbed') worst = 'disturbed';
    }
    return worst;
  } finally {
    set.close();
  }
}

/**
 * Changes whenever somebody touches the folder, its links, its set or a file of it: made of inode numbers, sizes, owners, modes
 * and the change times that the kernel keeps (nobody can set them back), never of contents. Sets that do not count make no
 * difference. What it cannot tell is a file
 * overwritten with as many bytes within the tick (a few milliseconds) of its last change. undefined: not as laid out.
 */
export function fingerprint(folder: Anchor): string | undefined {
  const current = currentSet(folder);
  const set = current === undefined ? undefined : openSet(folder, current);
  if (set === undefined) return undefined;
  const hash = createHash('sha256');
  try {
    hash.update(permissions(folder.stat())).update(identity(set.stat()));
    const names = folder.names().filter((name) => !isSet(name));
    for (const [one, inOne] of [
      [folder, names],
      [set, set.names()],
    ] as const) {
      for (const name of [...inOne].sort()) {
        const found = one.lstat(name);
        hash.update(`\n${name} ${found === undefined ? '' : identity(found)}`);
      }
    }
  } finally {
    set.close();
  }
  return hash.digest('base64');
}

/** The folder of the set that counts, for a watch. */
export function currentSet(folder: Anchor): string | undefined {
  const name = folder.targetOf(DATA);
  return name !== undefined && isSet(name) ? name : undefined;
}

function isSet(name: string): boolean {
  return SET.test(name);
}

function target(entry: string): string {
  return `${DATA}/${entry}`;
}

function swapIn(folder: Anchor, entries: EntrySet, options: WriteOptions): void {
  const set = `..${new Date().toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.${randomBytes(4).toString('hex')}`;
  try {
    writeSet(folder, set, entries, options);
    for (const entry of entries.keys()) {
      if (folder.link(entry, target(entry)) || folder.targetOf(entry) === target(entry)) continue;
      pointTo(folder, entry, target(entry));
    }
    pointTo(folder, DATA, set);
  } catch (error) {
    removeSet(folder, set);
    throw error;
  }
}

function writeSet(folder: Anchor, name: string, entries: EntrySet, { holder, durable }: WriteOptions): void {
  folder.makeFolder(name, 0o700);
  folder.within(name, (files) => {
    for (const [entry, bytes] of entries) files.writeFile(entry, bytes, holder.fileMode, holder, durable);
    files.give(holder);
    if (durable) fsyncSync(files.descriptor);
  });
}

/** Replaces whatever has a name with a symlink, in one step unless it is a folder. */
function pointTo(folder: Anchor, name: string, to: string): void {
  folder.remove(NEXT);
  folder.link(NEXT, to);
  if (folder.lstat(name)?.isDirectory()) folder.remove(name);
  folder.rename(NEXT, name);
}

/** undefined where the name leads to anything but a folder. */
function openSet(folder: Anchor, name: string): Anchor | undefined {
  try {
    return folder.enter(name);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

function listSet(folder: Anchor, name: string): string[] {
  const set = openSet(folder, name);
  if (set === undefined) return [];
  try {
    return set.names();
  } finally {
    set.close();
  }
}

function compareFile(set: Anchor, entry: string, bytes: Uint8Array, holder: Holder): Comparison {
  let descriptor: number;
  try {
    descriptor = set.openFile(entry);
  } catch (error) {
    // Missing, a link, a socket, or closed to us: in each case not what a reader should find.
    if (systemCode(error) === undefined) throw error;
    return 'different';
  }
  const found = Buffer.alloc(bytes.length);
  try {
    const stat = fstatSync(descriptor, { bigint: true });
    if (!stat.isFile() || stat.size !== BigInt(bytes.length)) return 'different';
    for (let at = 0; at < found.length; ) {
      const count = readSync(descriptor, found, at, found.length - at, at);
      if (count === 0) return 'different';
      at += count;
    }
    if (!timingSafeEqual(found, bytes)) return 'different';
    return isOwned(stat, holder, holder.fileMode) && stat.nlink === 1n ? 'same' : 'disturbed';
  } finally {
    found.fill(0);
    closeSync(descriptor);
  }
}

function isHeld(stat: BigIntStats, holder: Holder): boolean {
  return isOwned(stat, holder, holder.folderMode);
}

function isOwned(stat: BigIntStats, holder: Holder, mode: number): boolean {
  return Number(stat.uid) === holder.uid && Number(stat.gid) === holder.gid && (Number(stat.mode) & 0o7777) === mode;
}

function permissions({ dev, ino, mode, uid, gid }: BigIntStats): string {
  return [dev, ino, mode, uid, gid].join(':');
}

function identity({ dev, ino, ctimeNs, size, mode, uid, gid, nlink }: BigIntStats): string {
  return [dev, ino, ctimeNs, size, mode, uid, gid, nlink].join(':');
}
