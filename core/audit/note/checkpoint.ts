import { CofferError } from '../../errors.ts';
import { HASH_BYTES } from '../tree/merkle.ts';
import { isSignedBy, type Note, parseNote } from './signed-note.ts';

/** C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint): what the text of a signed note says of a log. */
export interface Checkpoint {
  /** Names the log, and the key that signs for it. */
  origin: string;
  /** Records. */
  size: number;
  /** 32 bytes. */
  root: Buffer;
}

/** `coffer.dev/audit/CLUSTER/LOGID`: one for each log that was ever begun. */
export const ORIGIN = /^coffer\.dev\/audit\/([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([0-9a-f]{16})$/;

/** What is signed; with its last newline. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/** What a checkpoint says, and by whom; nothing is verified. Throws CofferError `AUDIT_CHECKPOINT_INVALID`. */
export function parseCheckpoint(text: string): Checkpoint & { note: Note } {
  const note = parseNote(text);
  const [origin = '', size = '', base64 = '', ...rest] = note.text.split('\n');
  const root = Buffer.from(base64, 'base64');
  // Extension lines say nothing that is in the tree, and we never write any: what has some is not ours.
  const isOurs = ORIGIN.test(origin) && SIZE.test(size) && rest.length === 1 && rest[0] === '';
  if (
    !isOurs ||
    !Number.isSafeInteger(Number(size)) ||
    root.length !== HASH_BYTES ||
    root.toString('base64') !== base64
  )
    throw new CofferError('AUDIT_CHECKPOINT_INVALID', 'The checkpoint is not one of an audit log of coffer.', {
      advice: 'Give the file `checkpoint` of the log, or a copy of an earlier one.',
      exit: 1,
    });
  return { origin, size: Number(size), root, note };
}

/**
 * What a checkpoint says, signed by that identity (an Ed25519 public key of 32 bytes) in its own name. Throws CofferError
 * `AUDIT_CHECKPOINT_INVALID`, `AUDIT_KEY_REPLACED`.
 */
export function readCheckpoint(text: string, identity: Buffer): Checkpoint {
  const { origin, size, root, note } = parseCheckpoint(text);
  if (isSignedBy(note, origin, identity)) return { origin, size, root };
  throw new CofferError(
    'AUDIT_KEY_REPLACED',
    `A checkpoint of ${origin} is not signed by the identity that is pinned.`,
    {
      advice: 'Find out who signed it: whoever owns the disk of a log, but not the identity, can make no other.',
      exit: 1,
      loop: 'stop',
    },
  );
}
