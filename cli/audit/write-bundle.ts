import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { lineOf } from '../../core/audit/canonical.ts';
import { ENTRY_TILE_LIMIT } from '../../core/audit/entry-tile.ts';
import { NOTE_LIMIT } from '../../core/audit/note/signed-note.ts';
import type { LogStore } from '../../core/audit/store.ts';
import { span, TILE_WIDTH, tilePath, widthIn } from '../../core/audit/tree/tile.ts';
import { readTile } from '../../core/audit/tree/tile-reader.ts';
import { readEntryTile } from '../../core/audit/verify/tile-pass.ts';
import { CofferError } from '../../core/errors.ts';
import { withCleanup } from '../signals.ts';
import { BUNDLE_FILE, type BundledLog, bundleText, folderOf } from './bundle-file.ts';
import { readmeText } from './bundle-readme.ts';
import type { Range } from './coverage.ts';
import type { Identities } from './identity-of.ts';
import type { OpenedLog } from './open-logs.ts';
import type { Verified } from './verify-logs.ts';

const HISTORY_LIMIT = 64 * 1024 * 1024;
const README = 'README.md';

/**
 * Writes what an auditor needs without us: of each log the checkpoints, all hashes, and the text of the records of that time (in whole
 * tiles), whose identity signs it, and how to verify it. `folder` must not be there yet, and is there when it is whole: what was
 * killed leaves FOLDER.part-…, which no other run touches. Throws CofferError `USAGE` where one log is given twice; rejects with the
 * system's error.
 */
export async function writeBundle(
  folder: string,
  logs: readonly OpenedLog[],
  reports: readonly Verified[],
  identities: Identities,
  range: Range,
): Promise<BundledLog[]> {
  mustDiffer(logs);
  await mustBeFree(folder);
  const part = await mkdtemp(`${resolve(folder)}.part-`);
  return withCleanup(
    () => rmSync(part, { recursive: true, force: true }),
    async () => {
      const bundled = await writeInto(part, { logs, reports, identities, range });
      await rename(part, folder);
      return bundled;
    },
  );
}

interface Contents {
  logs: readonly OpenedLog[];
  reports: readonly Verified[];
  identities: Identities;
  range: Range;
}

async function writeInto(part: string, { logs, reports, identities, range }: Contents): Promise<BundledLog[]> {
  const bundled: BundledLog[] = [];
  for (const [at, { store, origin, cluster }] of logs.entries()) {
    const size = reports[at]?.size ?? 0;
    const below = folderOf(origin);
    const write = (path: string, bytes: Buffer) => place(join(part, below), path, bytes);
    for (const [path, limit] of [
      ['checkpoint', NOTE_LIMIT],
      ['checkpoints', HISTORY_LIMIT],
    ] as const) {
      const bytes = await store.read(path, limit);
      if (bytes !== undefined) await write(path, bytes);
    }
    await write('origin', Buffer.from(`${origin}\n`));
    await copyHashes(store, size, write);
    const records = await copyRecords(store, size, range, write);
    bundled.push({ origin, folder: below, ...records, identity: identities.of(cluster).text });
  }
  await place(part, README, Buffer.from(readmeText(bundled, reports, range)));
  await place(part, BUNDLE_FILE, Buffer.from(bundleText(bundled, range.from, range.to)));
  return bundled;
}

/** Asked before a long work: nothing that is there is written to. */
async function mustBeFree(folder: string): Promise<void> {
  // A folder is made and removed: that asks all that there is to ask.
  await mkdir(folder);
  await rmdir(folder);
}

/** Of two copies of a log only one can be in its folder, and which of them is right `verify` has to say. */
function mustDiffer(logs: readonly OpenedLog[]): void {
  const twice = logs.find(({ origin }, at) => logs.findIndex((log) => log.origin === origin) < at);
  if (twice === undefined) return;
  throw new CofferError('USAGE', `the log ${twice.origin} is given twice`, {
    advice: 'Give each log once; whether two copies agree, coffer audit verify says.',
    exit: 2,
  });
}

type Write = (path: string, bytes: Buffer) => Promise<void>;

async function copyHashes(store: LogStore, size: number, write: Write): Promise<void> {
  for (let level = 0; span(level) <= size; level++) {
    for (let index = 0; widthIn(size, level, index) > 0; index++) {
      const tile = { level, index, width: widthIn(size, level, index) };
      const bytes = await readTile(store, tile);
      if (bytes !== undefined) await write(tilePath(tile), bytes);
    }
  }
}

/**
 * Copies the entry tiles of that time, and as far on both sides as it takes to see that there are no more: a record before it, and one after.
 * Returns the numbers of the first and the last record that are there.
 */
async function copyRecords(
  store: LogStore,
  size: number,
  range: Range,
  write: Write,
): Promise<{ from: number; to: number }> {
  const count = Math.ceil(size / TILE_WIDTH);
  let [first, last] = [0, count - 1];
  let [hasBegun, isOver] = [false, false];
  for (let index = 0; index < count; index++) {
    const times = (await readEntryTile(store, index, widthIn(size, 0, index)))?.entries.map(timeOf) ?? [];
    const [begins, ends] = [times[0], times.at(-1)];
    // Forgotten, at the beginning; elsewhere `verify` finds it.
    if (begins === undefined || ends === undefined) {
      if (first === index) first++;
      continue;
    }
    // Also where the clock went back: nothing of that time is left out.
    const isOfThatTime = times.some((time) => time >= range.from && time < range.to);
    if (!hasBegun && !isOfThatTime && begins < range.from) first = index;
    if (isOfThatTime) [hasBegun, isOver, last] = [true, false, count - 1];
    if (!isOver && ends >= range.to) [isOver, last] = [true, index];
  }
  for (let index = first; index <= last; index++) {
    const path = tilePath({ level: 'entries', index, width: widthIn(size, 0, index) });
    // As it is, also where it is not as it was signed: the auditor sees that too.
    const bytes =
      (await store.read(path, ENTRY_TILE_LIMIT)) ??
      (await store.read(tilePath({ level: 'entries', index, width: TILE_WIDTH }), ENTRY_TILE_LIMIT));
    if (bytes !== undefined) await write(path, bytes);
  }
  return { from: first * TILE_WIDTH + 1, to: Math.min((last + 1) * TILE_WIDTH, size) };
}

function timeOf(entry: Buffer): string {
  return lineOf(entry)?.time ?? '';
}

async function place(folder: string, path: string, bytes: Buffer): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes, { flag: 'wx' });
}
