import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { entriesIn, entryTileOf } from '../../core/audit/entry-tile.ts';
import { leafHash } from '../../core/audit/tree/merkle.ts';
import { TreeEdge } from '../../core/audit/tree/right-edge.ts';
import { type TileLevel, tilePath, widthIn } from '../../core/audit/tree/tile.ts';

/** What somebody can do who owns the disk of a log and no key. Records are counted from 1. */
export class Tamperer {
  readonly directory: string;
  readonly size: number;

  constructor(directory: string, size: number) {
    this.directory = directory;
    this.size = size;
  }

  /** Works on a copy. */
  static copy(from: string, to: string, size: number): Tamperer {
    cpSync(from, to, { recursive: true });
    return new Tamperer(to, size);
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  /** The file of a tile, partial or full. */
  tile(level: TileLevel, index: number): string {
    return this.path(tilePath({ level, index, width: widthIn(this.size, level, index) }));
  }

  entries(): Buffer[] {
    const tiles: Buffer[][] = [];
    for (let index = 0; index * 256 < this.size; index++)
      tiles.push(entriesIn(readFileSync(this.tile('entries', index))) ?? []);
    return tiles.flat();
  }

  /** Another text of a record, as long as it was. */
  static edited(entry: Buffer): Buffer {
    return Buffer.from(entry.toString().replace('"db"', '"DB"'));
  }

  /** Changes the records of one entry tile, and nothing else. */
  entryTile(index: number, change: (entries: Buffer[]) => Buffer[]): void {
    const file = this.tile('entries', index);
    writeFileSync(file, entryTileOf(change(entriesIn(readFileSync(file)) ?? [])));
  }

  /** Changes the text of a tile's file, as an editor does it that knows nothing of lengths. */
  file(level: TileLevel, index: number, change: (text: string) => string): void {
    const file = this.tile(level, index);
    writeFileSync(file, change(readFileSync(file, 'latin1')), 'latin1');
  }

  /** Puts these records into entry tiles, and leaves the hashes as they are. */
  entryTiles(entries: readonly Buffer[]): void {
    for (let index = 0; index * 256 < this.size; index++)
      writeFileSync(this.tile('entries', index), entryTileOf(entries.slice(index * 256, (index + 1) * 256)));
  }

  /** Makes every tile and the journal anew for these records. */
  rebuild(entries: readonly Buffer[]): void {
    rmSync(this.path('tile'), { recursive: true });
    const made = new Tamperer(this.directory, entries.length);
    const write = (path: string, bytes: Buffer) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    };
    const edge = new TreeEdge();
    for (const entry of entries)
      for (const { level, index, hashes } of edge.append(leafHash(entry)))
        write(made.tile(level, index), Buffer.concat(hashes));
    for (const [level, hashes] of edge.partial().entries())
      if (hashes.length > 0)
        write(made.tile(level, Math.floor(entries.length / 256 ** (level + 1))), Buffer.concat(hashes));
    for (let index = 0; index * 256 < entries.length; index++)
      write(made.tile('entries', index), entryTileOf(entries.slice(index * 256, (index + 1) * 256)));
    writeFileSync(this.path('journal'), entries.map((entry) => `${entry}\n`).join(''));
  }

  remove(...names: string[]): void {
    for (const name of names) rmSync(existsSync(name) ? name : this.path(name));
  }

  flip(file: string, at: number): void {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
}
