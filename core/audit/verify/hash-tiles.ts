import type { LogStore } from '../store.ts';
import { HASH_BYTES } from '../tree/merkle.ts';
import { TILE_WIDTH, tilePath, widthIn } from '../tree/tile.ts';
import { readTile } from '../tree/tile-reader.ts';
import type { Finding } from './finding.ts';
import type { TilePass } from './tile-pass.ts';

/** What is stored of hashes and lengths, held against those that follow from records which are as they were signed. */
export async function alteredTiles(store: LogStore, size: number, pass: TilePass): Promise<Finding[]> {
  const ofLeaves = (level: 0 | 'entries', tiles: Iterable<number>) =>
    Array.from(tiles, (index) => tilePath({ level, index, width: widthIn(size, 0, index) }));
  const paths = [...ofLeaves('entries', pass.misframed), ...ofLeaves(0, pass.different)];
  for (const [below, hashes] of pass.above.entries()) {
    const level = below + 1;
    for (let index = 0; index * TILE_WIDTH < hashes.length; index++) {
      const width = widthIn(size, level, index);
      const stored = await readTile(store, { level, index, width });
      const follows = Buffer.concat(hashes.slice(index * TILE_WIDTH, index * TILE_WIDTH + width), width * HASH_BYTES);
      if (stored?.equals(follows) !== true) paths.push(tilePath({ level, index, width }));
    }
  }
  return paths.map((path) => ({
    kind: 'altered-tile',
    message: `${path} is missing or was changed; the records of it are as they were signed`,
  }));
}
