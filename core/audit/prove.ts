import { CofferError } from '../errors.ts';
import { lineOf } from './canonical.ts';
import { parseCheckpoint, readCheckpoint } from './note/checkpoint.ts';
import { invalid, parseProof, writeProof } from './note/proof-text.ts';
import { NOTE_LIMIT } from './note/signed-note.ts';
import type { AuditLine } from './record.ts';
import type { LogStore } from './store.ts';
import { leafHash } from './tree/merkle.ts';
import { inclusionProof, isIncluded } from './tree/proofs.ts';
import { TILE_WIDTH, widthIn } from './tree/tile.ts';
import { TileReader } from './tree/tile-reader.ts';
import { readEntryTile } from './verify/tile-pass.ts';

/**
 * The proof, as a text, that the record of that number (from 1) is in the log. Throws CofferError `AUDIT_RECORD_UNKNOWN`,
 * `AUDIT_TILE_MISSING`, `AUDIT_PROOF_INVALID` where the log is not what was signed, `AUDIT_CHECKPOINT_INVALID`.
 */
export async function proveRecord(store: LogStore, number: number): Promise<string> {
  const checkpoint = (await store.read('checkpoint', NOTE_LIMIT))?.toString() ?? '';
  const { size, root } = parseCheckpoint(checkpoint);
  const index = number - 1;
  if (!Number.isSafeInteger(number) || number < 1 || number > size)
    throw unknown(number, `the checkpoint covers ${size}`);
  const tile = Math.floor(index / TILE_WIDTH);
  const entry = (await readEntryTile(store, tile, widthIn(size, 0, tile)))?.entries[index % TILE_WIDTH];
  if (entry === undefined) throw unknown(number, 'its text is not there');
  const proof = await inclusionProof(new TileReader(store, size), index, size);
  if (!isIncluded(leafHash(entry), index, { size, root }, proof)) throw invalid('the log is not what was signed');
  return writeProof({ entry, index, proof, checkpoint });
}

export interface Proven {
  line: AuditLine;
  /** The signed tree that it is in. */
  origin: string;
  size: number;
  root: Buffer;
}

/**
 * The record that a proof is about, if that identity (an Ed25519 public key of 32 bytes) signed a tree that holds it. Throws CofferError
 * `AUDIT_PROOF_INVALID`, `AUDIT_CHECKPOINT_INVALID`, `AUDIT_KEY_REPLACED`.
 */
export function checkProof(text: string, identity: Buffer): Proven {
  const { entry, index, proof, checkpoint } = parseProof(text);
  const signed = readCheckpoint(checkpoint, identity);
  if (!isIncluded(leafHash(entry), index, signed, proof)) throw invalid('the hashes do not lead to the signed root');
  const line = lineOf(entry);
  if (line?.sequence !== index + 1) throw invalid('what is in the tree there is no record of that number');
  return { line, ...signed };
}

function unknown(number: number, why: string): CofferError {
  return new CofferError('AUDIT_RECORD_UNKNOWN', `The log has no record ${number} to prove: ${why}.`, {
    advice: 'Take a number that coffer audit show prints; the newest records are covered within a second.',
    exit: 1,
  });
}
