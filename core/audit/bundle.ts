import { ENTRY_LIMIT } from './canonical.ts';
import { TILE_WIDTH } from './tree/tile.ts';

/** A bundle of entries (C2SP tlog-tiles, "Log entries"): each with its length before it, two bytes, big-endian. */

/** The largest that a bundle can be, in bytes. */
export const BUNDLE_LIMIT = TILE_WIDTH * (2 + ENTRY_LIMIT);

export function bundleOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** The entries of a bundle, at most 256; undefined: its lengths do not add up. */
export function entriesIn(bundle: Buffer): Buffer[] | undefined {
  const { entries, isWhole } = leadingEntries(bundle);
  return isWhole ? entries : undefined;
}

/** As many of its entries as can be told apart. */
export function leadingEntries(bundle: Buffer): { entries: Buffer[]; isWhole: boolean } {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 > bundle.length ? Infinity : at + 2 + bundle.readUInt16BE(at);
    if (end > bundle.length || entries.length === TILE_WIDTH) return { entries, isWhole: false };
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return { entries, isWhole: true };
}
