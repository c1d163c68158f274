import { ENTRY_LIMIT, lineOf } from '../canonical.ts';
import { TILE_WIDTH } from '../tree/tile.ts';

const LENGTH_BYTES = 2;
const [OPENS, CLOSES] = [0x7b, 0x7d];
/** What is no record and looks like one, of a tile: each is parsed, and whoever wrote the tile may mean that to take long. */
const MOST_PARSED = 1000;

/**
 * The entries of a tile whose lengths do not add up, as somebody leaves it who edits the text and knows nothing of them. Where no record
 * stands, the next one is looked for; what is before it counts as one entry, which nobody signed.
 */
export function misframedEntries(tile: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  let parsed = 0;
  const recordAt = (at: number): Buffer | undefined => {
    const begin = at + LENGTH_BYTES;
    const end = begin > tile.length ? Infinity : begin + tile.readUInt16BE(at);
    if (end > tile.length || tile[begin] !== OPENS || tile[end - 1] !== CLOSES || parsed >= MOST_PARSED) return;
    const entry = tile.subarray(begin, end);
    if (lineOf(entry) !== undefined) return entry;
    parsed += 1;
    return undefined;
  };
  for (let at = 0; at < tile.length && entries.length < TILE_WIDTH; ) {
    const record = recordAt(at);
    if (record !== undefined) {
      entries.push(record);
      at += LENGTH_BYTES + record.length;
      continue;
    }
    let next = at + 1;
    // One record, edited, and the length of the next: further on nothing tells how many there were.
    while (next < tile.length && next - at <= 2 * ENTRY_LIMIT && recordAt(next) === undefined) next += 1;
    entries.push(tile.subarray(Math.min(at + LENGTH_BYTES, next), next));
    at = next;
  }
  return entries;
}
