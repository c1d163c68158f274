import { ENTRY_LIMIT } from './canonical.ts';
import { TILE_WIDTH } from './tree/tile.ts';

/** An entry tile of entries (C2SP tlog-tiles, "Log entries"): each with its length before it, two bytes, big-endian. */

/** The largest that an entry tile can be, in bytes. */
export const ENTRY_TILE_LIMIT = TILE_WIDTH * (2 + ENTRY_LIMIT);

export function entryTileOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** The entries of an entry tile, at most 256; undefined: its lengths do not add up. */
export function entriesIn(tile: Buffer): Buffer[] | undefined {
  const { entries, isWhole } = leadingEntries(tile);
  return isWhole ? entries : undefined;
}

/** As many of its entries as can be told apart. */
export function leadingEntries(tile: Buffer): { entries: Buffer[]; isWhole: boolean } {
  const entries: Buffer[] = [];
  for (let at = 0; at < tile.length; ) {
    const end = at + 2 > tile.length ? Infinity : at + 2 + tile.readUInt16BE(at);
    if (end > tile.length || entries.length === TILE_WIDTH) return { entries, isWhole: false };
    entries.push(tile.subarray(at + 2, end));
    at = end;
  }
  return { entries, isWhole: true };
}
