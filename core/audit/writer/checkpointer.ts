import { appendFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Bug, CofferError } from '../../errors.ts';
import type { LogSigner } from '../log.ts';
import { checkpointText, parseCheckpoint, readCheckpoint } from '../note/checkpoint.ts';
import { isSignature, isSignedBy, noteOf } from '../note/signed-note.ts';
import { partialTiles, TILE_WIDTH, tilePath } from '../tree/tile.ts';
import { placeFiles } from './atomic-files.ts';
import { rolledBack, unsigned } from './errors.ts';
import type { Snapshot } from './growing-tree.ts';

/** The newest signed checkpoint. */
export const CHECKPOINT = 'checkpoint';
/** One of every 256 records, as JSON strings on lines: they say where a log that was rewritten begins to differ. */
export const HISTORY = 'checkpoints';
/** Partial tiles of as many checkpoints stay, so that whoever has just read an older one finds its tiles. */
const KEPT = 2;

/** A note that the log does not go on from, if its identity signed it. */
export interface Departed {
  note: string;
  /** In plain words. */
  how: string;
}

export interface Found {
  /** The checkpoint of the log; undefined: it has none. */
  found: string | undefined;
  departed: readonly Departed[];
}

/** Signs the tree, and writes each checkpoint after the tiles that it covers. */
export class Checkpointer {
  /** As text; undefined: none yet. */
  newest: string | undefined;
  #signed: number;
  readonly #directory: string;
  readonly #origin: string;
  readonly #signer: LogSigner | undefined;
  /** What an earlier run left, and what is remembered elsewhere: both count when it is seen who signs. */
  #unproven: Found | undefined;
  /** Tiles that partial ones may be on disk of. */
  #partial: ReadonlySet<string>;

  constructor(directory: string, origin: string, signer: LogSigner | undefined, found: Found) {
    this.#directory = directory;
    this.#origin = origin;
    this.#signer = signer;
    this.newest = found.found;
    this.#unproven = found;
    this.#signed = found.found === undefined ? 0 : parseCheckpoint(found.found).size;
    this.#partial = new Set(partialBefore(this.#signed));
  }

  /** Records that the newest checkpoint covers. */
  get signed(): number {
    return this.#signed;
  }

  /** Sees who signs, before anything is written over: throws as `write` does. */
  async prove({ size, root }: { size: number; root: Buffer }): Promise<void> {
    if (this.newest !== undefined || (this.#unproven?.departed.length ?? 0) > 0)
      await this.#note(checkpointText({ origin: this.#origin, size, root }));
  }

  /**
   * Throws CofferError `AUDIT_UNSIGNED`; `AUDIT_KEY_REPLACED` where the checkpoint that was found is signed by another key, and
   * `AUDIT_ROLLED_BACK` where the log does not go on from one that is remembered elsewhere; rejects with the system's error.
   */
  async write({ size, root, partial }: Snapshot): Promise<void> {
    const text = checkpointText({ origin: this.#origin, size, root });
    const note = await this.#note(text);
    const former = this.#partial;
    const now = new Set([...partial.keys()].map(fullOf));
    this.#partial = new Set([...former, ...now]);
    await placeFiles(this.#directory, partial);
    await placeFiles(this.#directory, new Map([[CHECKPOINT, Buffer.from(note)]]));
    this.newest = note;
    if (Math.floor(this.#signed / TILE_WIDTH) < Math.floor(size / TILE_WIDTH)) {
      // After a newline, since a kill may have torn the line before; empty lines count for nothing.
      await appendFile(join(this.#directory, HISTORY), `\n${JSON.stringify(note)}\n`, { mode: 0o600 });
    }
    for (const path of partial.keys()) await this.#forgetFormer(path);
    // Those that are full by now, which no checkpoint needs: the page lets them go then.
    for (const path of former.difference(now))
      await rm(join(this.#directory, `${path}.p`), { recursive: true, force: true });
    this.#partial = now;
    // Last: what failed of it is tried again with all of it.
    this.#signed = size;
  }

  async #note(text: string): Promise<string> {
    const signed = await this.#signer?.sign(Buffer.from(text)).catch((cause: unknown) => {
      throw cause instanceof CofferError ? unsigned(this.#directory, cause) : cause;
    });
    if (signed === undefined) throw unsigned(this.#directory);
    const { publicKey, signature } = signed;
    if (!isSignature(Buffer.from(text), publicKey, signature)) throw new Bug('a checkpoint was signed wrongly');
    this.#believe(publicKey);
    return noteOf(text, this.#origin, publicKey, signature);
  }

  /** Once it is known whose signature counts. */
  #believe(publicKey: Buffer): void {
    const { found, departed } = this.#unproven ?? { departed: [] };
    if (found !== undefined) readCheckpoint(found, publicKey);
    for (const { note, how } of departed)
      if (isSignedBy(parseCheckpoint(note).note, this.#origin, publicKey)) throw rolledBack(this.#directory, how);
    this.#unproven = undefined;
  }

  /** Narrower ones of the same tile. */
  async #forgetFormer(path: string): Promise<void> {
    const folder = join(this.#directory, dirname(path));
    const widths = (await readdir(folder)).map(Number).sort((a, b) => b - a);
    for (const width of widths.slice(KEPT)) await rm(join(folder, String(width)), { force: true });
  }
}

/** `tile/0/067` of `tile/0/067.p/8`. */
function fullOf(path: string): string {
  return dirname(path).replace(/\.p$/, '');
}

/** Those of a checkpoint, and the ones to their left: a kill may have left what was partial under the checkpoint before. */
function partialBefore(size: number): string[] {
  return partialTiles(size)
    .flatMap((tile) => [tile, { ...tile, index: tile.index - 1 }])
    .filter(({ index }) => index >= 0)
    .map((tile) => tilePath({ ...tile, width: TILE_WIDTH }));
}
