import { appendFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Bug, CofferError } from '../../errors.ts';
import type { LogSigner } from '../log.ts';
import { checkpointText, parseCheckpoint, readCheckpoint } from '../note/checkpoint.ts';
import { isSignature, noteOf } from '../note/signed-note.ts';
import { TILE_WIDTH } from '../tree/tile.ts';
import { unsigned } from './errors.ts';
import type { Snapshot } from './growing-tree.ts';
import { placeFiles } from './place-file.ts';

/** The newest signed checkpoint. */
export const CHECKPOINT = 'checkpoint';
/** One of every 256 records, as JSON strings on lines: they say where a log that was rewritten begins to differ. */
export const HISTORY = 'checkpoints';
/** Partial tiles of as many checkpoints stay, so that whoever has just read an older one finds its tiles. */
const KEPT = 2;

/** Signs the tree, and writes each checkpoint after the tiles that it covers. */
export class Checkpointer {
  /** As text; undefined: none yet. */
  newest: string | undefined;
  #signed: number;
  readonly #directory: string;
  readonly #origin: string;
  readonly #signer: LogSigner | undefined;
  /** What an earlier run left: believed when it is seen who signs. */
  #unproven: string | undefined;

  constructor(directory: string, origin: string, signer: LogSigner | undefined, found: string | undefined) {
    this.#directory = directory;
    this.#origin = origin;
    this.#signer = signer;
    this.newest = found;
    this.#unproven = found;
    this.#signed = found === undefined ? 0 : parseCheckpoint(found).size;
  }

  /** Records that the newest checkpoint covers. */
  get signed(): number {
    return this.#signed;
  }

  /** Sees who signs, before anything is written over: throws as `write` does. */
  async prove({ size, root }: { size: number; root: Buffer }): Promise<void> {
    await this.#note(checkpointText({ origin: this.#origin, size, root }));
  }

  /**
   * Throws CofferError `AUDIT_UNSIGNED`, and `AUDIT_KEY_REPLACED` where the checkpoint that was found is signed by another key; rejects with
   * the system's error.
   */
  async write({ size, root, partial }: Snapshot): Promise<void> {
    const text = checkpointText({ origin: this.#origin, size, root });
    const note = await this.#note(text);
    await placeFiles(this.#directory, partial);
    await placeFiles(this.#directory, new Map([[CHECKPOINT, Buffer.from(note)]]));
    this.newest = note;
    if (Math.floor(this.#signed / TILE_WIDTH) < Math.floor(size / TILE_WIDTH)) {
      // After a newline, since a kill may have torn the line before; empty lines count for nothing.
      await appendFile(join(this.#directory, HISTORY), `\n${JSON.stringify(note)}\n`, { mode: 0o600 });
    }
    for (const path of partial.keys()) await this.#forgetFormer(path);
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
    if (this.#unproven !== undefined) readCheckpoint(this.#unproven, publicKey);
    this.#unproven = undefined;
    return noteOf(text, this.#origin, publicKey, signature);
  }

  /** Narrower ones of the same tile. */
  async #forgetFormer(path: string): Promise<void> {
    const folder = join(this.#directory, dirname(path));
    const widths = (await readdir(folder)).map(Number).sort((a, b) => b - a);
    for (const width of widths.slice(KEPT)) await rm(join(folder, String(width)), { force: true });
  }
}
