import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../errors.ts';
import { Turns } from '../../turns.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { packIndex } from '../packs/pack-index.ts';
import { appendObjects } from './append.ts';
import { EntryTable, type IsAttack } from './entry-table.ts';
import { malformedPack, unwritable } from './faults.ts';
import { PackFile } from './pack-file.ts';
import { PACK_HEADER, PACK_TRAILER, type Received, receivePack } from './receive.ts';
import { Unpacker } from './unpacker.ts';

/** What a pack may hold, all of it counted before it is allocated. */
export interface PackLimits {
  /** Of the pack as it is sent. */
  bytes: number;
  objects: number;
  /** One object, inflated. */
  objectBytes: number;
  /** All objects together, inflated. */
  inflatedBytes: number;
  /** Of a chain of deltas. */
  depth: number;
}

export interface TakenPack {
  /** That were sent: bases that a thin pack left out are not among them. */
  objects: number;
  /** Of the file. */
  bytes: number;
  /** `pack-HASH`, without the folder. */
  name: string;
}

export interface IntakeOptions {
  limits: PackLimits;
  /** What is there already: bases of a thin pack, and what no object may contradict. */
  bases: ObjectStore;
  /** Absent: what core/git/sha1 finds. Nobody has made two objects of git of one name yet that one could test with. */
  isAttack?: IsAttack;
  /**
   * Runs the work on a pack that takes much memory, when there is room for it: on one of many or large objects. Absent: at once. The
   * pack is on disk by then, so that no server's slowness holds others up.
   */
  heavy?: <T>(work: () => Promise<T>) => Promise<T>;
  signal?: AbortSignal;
}

/** What is unpacked within these takes some 60 MiB at most. */
const LIGHT = { objects: 2 ** 16, objectBytes: 4 * 2 ** 20, inflatedBytes: 256 * 2 ** 20 };

/**
 * Takes a pack from a stream into `folder` (`objects/pack`): it is written as it comes, then every object is inflated once,
 * within its limits, named by its hash, checked as `git fsck` does (core/git/grammar), and entered into an index of version 2,
 * as `git index-pack --fix-thin` would. Neither file is flushed to the disk. `undefined`: the pack is empty and nothing was
 * written. Throws `PACK_MALFORMED`, `PACK_TOO_LARGE`, `PACK_OBJECT_REFUSED`, `PACK_COLLISION`, `PACK_COLLISION_ATTACK`,
 * `PACK_UNWRITABLE` and whatever the stream throws; then nothing is left of it.
 *
 * isomorphic-git's GitPackIndex holds the whole pack and every object of it in memory, inflates without a limit, leaves out
 * what it cannot decode without a word, and checks no grammar.
 */
export async function takePack(
  stream: AsyncIterable<Uint8Array>,
  folder: string,
  options: IntakeOptions,
): Promise<TakenPack | undefined> {
  const temporary = join(folder, `tmp-${randomBytes(8).toString('hex')}`);
  try {
    return await take(stream, folder, temporary, options);
  } catch (error) {
    if (isFull(error)) throw unwritable(error.code, error);
    throw error;
  } finally {
    await rm(`${temporary}.pack`, { force: true });
    await rm(`${temporary}.idx`, { force: true });
  }
}

async function take(
  stream: AsyncIterable<Uint8Array>,
  folder: string,
  temporary: string,
  options: IntakeOptions,
): Promise<TakenPack | undefined> {
  const received = await receivePack(stream, `${temporary}.pack`, options.limits);
  if (received.count === 0) {
    if (received.bytes > PACK_HEADER + PACK_TRAILER) throw malformedPack('it is longer than it says');
    return undefined;
  }
  const { table, trailer, bytes } = await unpackInTurn(`${temporary}.pack`, received, options);
  await writeFile(`${temporary}.idx`, packIndex(table, trailer), { flag: 'wx', mode: 0o600 });
  const name = `pack-${trailer.toString('hex')}`;
  // `.pack` before `.idx`: an index without its pack would be taken for a damaged one.
  await rename(`${temporary}.pack`, join(folder, `${name}.pack`));
  await rename(`${temporary}.idx`, join(folder, `${name}.idx`));
  return { objects: received.count, bytes, name };
}

interface Unpacked {
  table: EntryTable;
  trailer: Buffer;
  bytes: number;
}

/** What turns out to be heavy is begun anew when it is its turn: nothing but reading was done. */
async function unpackInTurn(file: string, received: Received, options: IntakeOptions): Promise<Unpacked> {
  const { limits, heavy } = options;
  if (heavy === undefined) return unpack(file, received, options);
  if (received.count <= LIGHT.objects) {
    const objectBytes = Math.min(limits.objectBytes, LIGHT.objectBytes);
    const inflatedBytes = Math.min(limits.inflatedBytes, LIGHT.inflatedBytes);
    try {
      return await unpack(file, received, { ...options, limits: { ...limits, objectBytes, inflatedBytes } });
    } catch (error) {
      if (!(error instanceof CofferError) || error.code !== 'PACK_TOO_LARGE') throw error;
    }
  }
  return heavy(() => unpack(file, received, options));
}

async function unpack(
  path: string,
  received: Received,
  { limits, bases, isAttack, signal }: IntakeOptions,
): Promise<Unpacked> {
  // A thin pack leaves out at most one base for each delta.
  const capacity = 2 * received.count;
  const table = new EntryTable(capacity, limits.inflatedBytes, bases, isAttack);
  const end = received.bytes - PACK_TRAILER;
  const file = new PackFile(path, end, limits.objectBytes);
  try {
    const turns = new Turns(signal);
    const unpacker = new Unpacker({ file, table, capacity, limits, bases, turns });
    const reached = await unpacker.readAll(PACK_HEADER, received.count);
    if (reached !== end) throw malformedPack('it is longer than it says');
    const added = await unpacker.readThin();
    if (added.length === 0) return { table, ...received };
    return { table, ...(await appendObjects(path, table, added, { end, most: limits.bytes, bases, turns })) };
  } finally {
    file.close();
  }
}

function isFull(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  if (error instanceof CofferError || !(error instanceof Error) || !('code' in error)) return false;
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG'].includes(String(error.code));
}
