import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flush, isTemporaryName, writeFileAtomically } from '../../../core/files/atomic.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { isSystemError } from '../../../core/files/system-error.ts';
import { writeLoose } from '../../../core/git/objects/loose-object.ts';
import { ObjectStore } from '../../../core/git/objects/object-store.ts';
import { repack } from '../../../core/git/objects/repack.ts';
import type { Pack } from '../../../core/git/packs/pack.ts';
import { reachableObjects } from '../../../core/git/reachable.ts';
import { openRepository, Repository } from '../../../core/git/repository.ts';
import type { TimeLimit } from '../time-limit.ts';
import { PACK_LIMITS, Quarantine, SHALLOW } from './quarantine.ts';

/** The commit whose state was accepted last. */
const ACCEPTED = 'refs/coffer/accepted';
/** The file that says how large the objects were when they were looked through last, in bytes. */
const LOOKED = 'coffer-compacted';
/** With more packs than this the small ones are put together. */
const MANY_PACKS = 32;

export interface Room {
  /** What the objects of a clone may take of the disk, in bytes: a fetch that would bring more is refused. */
  most: number;
  /** As long as they take less, nobody looks which of them are needed. */
  small: number;
}

const ROOM: Room = { most: 4 * 2 ** 30, small: 64 * 2 ** 20 };

/**
 * A source's own bare repository under the state directory. Objects come in through a quarantine: a second git directory that
 * is thrown away unless everything that the new commit needs was found in it or here. Nothing is removed but by `compact`, so
 * that the manifest which is projected can be read for as long as it is.
 */
export class Clone {
  readonly directory: string;
  readonly repository: Repository;

  readonly #room: Room;

  private constructor(directory: string, repository: Repository, room: Room) {
    this.directory = directory;
    this.repository = repository;
    this.#room = room;
  }

  /** Makes it where it is not there, and clears what a killed run left. */
  static async open(directory: string, room = ROOM): Promise<Clone> {
    await makeBare(directory);
    for (const name of await readdir(directory)) {
      if (name.startsWith('quarantine-')) await rm(join(directory, name), { recursive: true });
    }
    for (const folder of [directory, join(directory, 'refs', 'coffer')]) {
      for (const name of await readdir(folder)) if (isTemporaryName(name)) await rm(join(folder, name));
    }
    await removeTorn(join(directory, 'objects'));
    return new Clone(directory, await openRepository(directory), room);
  }

  async accepted(): Promise<string | undefined> {
    return this.repository.readRef(ACCEPTED);
  }

  /** A git directory that knows of the accepted commit, so that a server sends only what comes after it. `time`: of the fetch. */
  async quarantine(time?: TimeLimit): Promise<Quarantine> {
    const directory = join(this.directory, `quarantine-${randomBytes(6).toString('hex')}`);
    try {
      return await this.#quarantine(directory, time);
    } catch (error) {
      // Each look at a source whose disk is full would leave one.
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async #quarantine(directory: string, time: TimeLimit | undefined): Promise<Quarantine> {
    await makeBare(directory);
    const accepted = await this.accepted();
    if (accepted !== undefined) {
      const { type, bytes } = this.repository.readRaw(accepted);
      writeLoose(join(directory, 'objects'), type, bytes);
      await writeFile(join(directory, ACCEPTED), `${accepted}\n`);
    }
    await copyIfThere(join(this.directory, SHALLOW), join(directory, SHALLOW));
    const objects = new ObjectStore([join(directory, 'objects')], this.repository.objects);
    const repository = new Repository({ own: directory, common: directory }, objects, this.repository.graph);
    const used = await bytesBelow(join(this.directory, 'objects'));
    const limits = { ...PACK_LIMITS, bytes: Math.max(0, this.#room.most - used) };
    const [isFirst, shallow] = [accepted === undefined, this.repository.shallow()];
    const timed = time === undefined ? {} : { time };
    return new Quarantine({ directory, repository, haveRef: ACCEPTED, isFirst, shallow, limits, ...timed });
  }

  /** Takes in what is in the quarantine and makes `commit` the accepted one; the ref moves last. */
  async adopt(quarantine: Quarantine, commit: string): Promise<void> {
    const from = join(quarantine.directory, 'objects', 'pack');
    const into = join(this.directory, 'objects', 'pack');
    const names = (await readdir(from)).filter((name) => /^pack-.*\.(pack|idx)$/.test(name)).sort();
    // `.pack` before `.idx`: an index without its pack would be taken for a damaged one.
    for (const name of names.reverse()) {
      await flush(join(from, name));
      await rename(join(from, name), join(into, name));
    }
    await flush(into);
    const shallow = join(quarantine.directory, SHALLOW);
    if (await isThere(shallow)) {
      await flush(shallow);
      await rename(shallow, join(this.directory, SHALLOW));
    } else {
      await rm(join(this.directory, SHALLOW), { force: true });
    }
    await flush(this.directory);
    quarantine.isAdopted = true;
    await writeFileAtomically(join(this.directory, ACCEPTED), `${commit}\n`);
    this.repository.objects.refresh();
    await this.#putTogether();
  }

  close(): void {
    this.repository.close();
  }

  /**
   * Removes what none of these objects (of any type) reaches, when that is worth it: not before the clone has grown to twice of
   * what it was when it was looked through last, and only where a quarter of it or more would go. Cheap otherwise. Returns
   * whether something was removed. What reads at the same time finds an object where it is now, or not at all.
   */
  async compact(keep: Iterable<string>): Promise<boolean> {
    const folder = join(this.directory, 'objects');
    const used = await bytesBelow(folder);
    if (used < (await this.#nextLook())) return false;
    const { objects } = this.repository;
    const live = await reachableObjects(objects, [...keep, ...optional(await this.accepted())]);
    const packs = [...objects.packs()];
    const isWorthIt = (await bytesIn(folder, packs, live)) < used * 0.75;
    if (isWorthIt) {
      await this.#replace(packs, (oid) => live.has(oid));
      await removeLoose(folder, live);
      objects.refresh();
    }
    await writeFileAtomically(join(this.directory, LOOKED), `${await bytesBelow(folder)}\n`);
    return isWorthIt;
  }

  /** Every fetch leaves a pack. Once there are many, the small ones become one; the large ones stay as they are. */
  async #putTogether(): Promise<void> {
    const packs = [...this.repository.objects.packs()].sort((a, b) => a.count - b.count);
    if (packs.length > MANY_PACKS) await this.#replace(packs.slice(0, -1), () => true);
  }

  async #replace(packs: readonly Pack[], isWanted: (oid: string) => boolean): Promise<void> {
    const folder = join(this.directory, 'objects', 'pack');
    const made = await repack(folder, this.repository.objects, packs, isWanted);
    // The new pack's name is on disk before the old ones' names go.
    await flush(folder);
    this.repository.objects.refresh();
    for (const { file } of packs) {
      if (file === `${made}.pack`) continue;
      await rm(file.replace(/\.pack$/, '.idx'));
      await rm(file);
    }
    this.repository.objects.refresh();
  }

  /** The size, in bytes, from which on it is looked through again. */
  async #nextLook(): Promise<number> {
    const last = Number(await readIfThere(join(this.directory, LOOKED)));
    return Math.max(this.#room.small, Math.min(2 * last, (last + this.#room.most) / 2));
  }
}

const optional = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);

/** What these objects take of the disk, each counted once. */
async function bytesIn(objects: string, packs: readonly Pack[], live: ReadonlySet<string>): Promise<number> {
  const counted = new Set<string>();
  let sum = 0;
  for (const { oid, offset, end } of packs.flatMap((pack) => pack.entries())) {
    if (counted.has(oid) || !live.has(oid)) continue;
    counted.add(oid);
    sum += end - offset;
  }
  for (const oid of live) {
    if (!counted.has(oid)) sum += (await stat(join(objects, oid.slice(0, 2), oid.slice(2)))).size;
  }
  return sum;
}

async function removeLoose(objects: string, live: ReadonlySet<string>): Promise<void> {
  for (const first of await readdir(objects)) {
    if (!/^[0-9a-f]{2}$/.test(first)) continue;
    for (const rest of await readdir(join(objects, first))) {
      if (!live.has(first + rest)) await rm(join(objects, first, rest));
    }
  }
}

/** What a run that was killed was writing: no name of an object or a pack, or a pack that has no index. */
async function removeTorn(objects: string): Promise<void> {
  for (const folder of await readdir(objects)) {
    const names = new Set(await readdir(join(objects, folder)));
    for (const name of names) {
      const isTorn = name.startsWith('tmp-') || (name.endsWith('.pack') && !names.has(name.replace(/\.pack$/, '.idx')));
      if (isTorn) await rm(join(objects, folder, name));
    }
  }
}

async function makeBare(directory: string): Promise<void> {
  await mkdir(join(directory, 'objects', 'pack'), { recursive: true, mode: 0o700 });
  await mkdir(join(directory, 'refs', 'coffer'), { recursive: true });
  if (await isThere(join(directory, 'HEAD'))) return;
  await writeFile(
    join(directory, 'config'),
    '[core]\n\trepositoryformatversion = 0\n\tbare = true\n[remote "origin"]\n\tfetch = +refs/heads/*:refs/coffer/fetched/*\n',
  );
  // What openRepository looks for comes last.
  await writeFileAtomically(join(directory, 'HEAD'), 'ref: refs/heads/main\n');
}

async function bytesBelow(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    sum += entry.isDirectory() ? await bytesBelow(path) : (await stat(path)).size;
  }
  return sum;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if (await isThere(from)) await copyFile(from, to);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
