import { CofferError } from '../../errors.ts';
import { HASH_BYTES } from '../tree/merkle.ts';

/** C2SP tlog-proof (https://c2sp.org/tlog-proof): that a record is in a log, in one text that needs nothing else to be checked. */
export interface ProofText {
  /** The record itself, as it is in the tree: the page's opaque `extra`, which counts once the proof holds. */
  entry: Buffer;
  /** From 0. */
  index: number;
  proof: Buffer[];
  /** A signed note. */
  checkpoint: string;
}

const HEAD = 'c2sp.org/tlog-proof@v1';
/** A record, a checkpoint, and more hashes than a tree of 2^53 records can take. */
const LIMIT = 256 * 1024;
const MOST_HASHES = 64;

export function writeProof({ entry, index, proof, checkpoint }: ProofText): string {
  const hashes = proof.map((hash) => `${hash.toString('base64')}\n`).join('');
  return `${HEAD}\nextra ${entry.toString('base64')}\nindex ${index}\n${hashes}\n${checkpoint}`;
}

/** Throws CofferError `AUDIT_PROOF_INVALID`. */
export function parseProof(text: string): ProofText {
  const end = text.indexOf('\n\n');
  const [head, extra = '', index = '', ...hashes] = text.slice(0, Math.max(0, end)).split('\n');
  const entry = bytesOf(/^extra ([A-Za-z0-9+/=]+)$/.exec(extra)?.[1]);
  const number = /^index (0|[1-9][0-9]{0,15})$/.exec(index)?.[1];
  const proof = hashes.map(bytesOf);
  const isProof = head === HEAD && text.length <= LIMIT && hashes.length <= MOST_HASHES && entry !== undefined;
  const isWhole = proof.every((hash): hash is Buffer => hash?.length === HASH_BYTES);
  if (!isProof || number === undefined || !isWhole) throw invalid('it is not one, or it holds no record');
  return { entry, index: Number(number), proof, checkpoint: text.slice(end + 2) };
}

export function invalid(what: string): CofferError {
  return new CofferError('AUDIT_PROOF_INVALID', `The proof does not hold: ${what}.`, {
    advice: 'Take the file as coffer audit prove wrote it, and compare the identity with that of the cluster.',
    exit: 1,
  });
}

function bytesOf(base64: string | undefined): Buffer | undefined {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  return base64 !== undefined && bytes.toString('base64') === base64 ? bytes : undefined;
}
