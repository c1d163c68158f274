import { lineOf } from './canonical.ts';
import { journalTextOf } from './journal-line.ts';
import { parseCheckpoint } from './note/checkpoint.ts';
import { NOTE_LIMIT } from './note/signed-note.ts';
import type { AuditLine } from './record.ts';
import type { LogStore } from './store.ts';
import { TILE_WIDTH, widthIn } from './tree/tile.ts';
import { readEntryTile } from './verify/tile-pass.ts';

const JOURNAL_LIMIT = 256 * 1024 * 1024;
/** Entry tiles in a row that are not there, after which there are no more: nobody vouches here for the size that a checkpoint tells. */
const MOST_MISSING = 65_536;

/**
 * The records of a log wherever it is, in order, as they are there: those of entry tiles, then those of the journal that are newer. What is
 * no record, or is not there, is left out; whether all is as it was signed, `verifyLog` says.
 */
export async function* recordsIn(store: LogStore): AsyncGenerator<AuditLine> {
  const checkpoint = (await store.read('checkpoint', NOTE_LIMIT))?.toString();
  const size = checkpoint === undefined ? 0 : parseCheckpoint(checkpoint).size;
  // Read first: while these are read, the journal may be cut.
  const journal = await store.read('journal', JOURNAL_LIMIT);
  let [last, missing] = [0, 0];
  for (let index = 0; missing < MOST_MISSING; index++) {
    // Beyond the checkpoint, entry tiles count once they are full: then the journal may not have those records any more.
    const width = widthIn(size, 0, index);
    const full = await readEntryTile(store, index, TILE_WIDTH);
    const tile = full ?? (width === 0 ? undefined : await readEntryTile(store, index, width));
    if (tile === undefined && index * TILE_WIDTH >= size) break;
    missing = tile === undefined ? missing + 1 : 0;
    for (const line of tile?.entries.map(lineOf) ?? []) {
      if (line === undefined || line.sequence <= last) continue;
      last = line.sequence;
      yield line;
    }
  }
  for (const text of journal?.toString().split('\n') ?? []) {
    const line = lineOf(journalTextOf(Buffer.from(text)).entry);
    if (line === undefined || line.sequence <= last) continue;
    last = line.sequence;
    yield line;
  }
}
