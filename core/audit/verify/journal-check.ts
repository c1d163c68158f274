import { lineOf } from '../canonical.ts';
import { journalTextOf } from '../journal-line.ts';
import type { LogStore } from '../store.ts';
import { leafHash } from '../tree/merkle.ts';
import { TILE_WIDTH, widthIn } from '../tree/tile.ts';
import { type Finding, plural, runs } from './finding.ts';
import { readEntryTile } from './tile-pass.ts';

/** A writer that cannot write tiles stops at some 16,000 records; most have a few hundred bytes. */
const JOURNAL_LIMIT = 256 * 1024 * 1024;

export interface JournalCheck {
  /** Records after the checkpoint. */
  unsigned: number;
  findings: Finding[];
}

/**
 * Counts what of a journal, where there is one, no checkpoint covers yet, and holds the rest against the tiles, unless those are wrong
 * themselves.
 */
export async function checkJournal(store: LogStore, size: number, areTilesRight: boolean): Promise<JournalCheck> {
  const text = await store.read('journal', JOURNAL_LIMIT);
  const findings: Finding[] = [];
  const others: number[] = [];
  if (text === undefined || text.length === 0) return { unsigned: 0, findings };
  let [last, leaves, index] = [0, [] as Buffer[], -1];
  for (const entry of wholeLines(text)) {
    const number = lineOf(entry)?.sequence ?? 0;
    if (number === 0 || (last > 0 && number !== last + 1)) {
      const message = `in the journal, what follows record ${last} is not the next one`;
      return {
        unsigned: Math.max(0, last - size),
        findings: [...findings, { kind: 'malformed', from: last + 1, message }],
      };
    }
    if (last === 0 && number > size + 1 && !(await isTiled(store, size))) {
      const message = `${plural(size + 1, number - 1)} are neither in a tile nor in the journal`;
      findings.push({ kind: 'deleted', from: size + 1, to: number - 1, message });
    }
    last = number;
    if (number > size || !areTilesRight) continue;
    const tile = Math.floor((number - 1) / TILE_WIDTH);
    if (tile !== index) leaves = (await readEntryTile(store, tile, widthIn(size, 0, tile)))?.leaves ?? [];
    index = tile;
    const leaf = leaves[(number - 1) % TILE_WIDTH];
    if (leaf !== undefined && !leaf.equals(leafHash(entry))) others.push(number - 1);
  }
  for (const { from, to } of runs(others)) {
    const message = `in the journal, ${plural(from, to)} is not what its tile has and was signed`;
    findings.push({ kind: 'edited', from, to, message });
  }
  return { unsigned: Math.max(0, last - size), findings };
}

/** Whether what follows the checkpoint has got into a full tile while we read. */
async function isTiled(store: LogStore, size: number): Promise<boolean> {
  const index = Math.floor(size / TILE_WIDTH);
  return (await readEntryTile(store, index, TILE_WIDTH)) !== undefined;
}

/** Without the last one, where it has no end: it is being written, or was torn. */
function* wholeLines(text: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    const line = text.subarray(start, end);
    if (line.includes(0)) return;
    yield journalTextOf(line).entry;
    start = end + 1;
  }
}
