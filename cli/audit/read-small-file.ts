import { CofferError } from '../../core/errors.ts';
import { readUpTo } from '../../core/files/read-up-to.ts';

/** Of checkpoints and proofs: a record, a signed note and some hashes. */
const LIMIT = 256 * 1024;

/** Throws CofferError `AUDIT_FILE`. */
export async function readSmallFile(file: string): Promise<string> {
  const bytes = await readUpTo(file, LIMIT, () => unreadable(file, `has more than ${LIMIT} bytes`));
  if (bytes === undefined) throw unreadable(file, 'is not there');
  return bytes.toString('utf8');
}

function unreadable(file: string, why: string): CofferError {
  return new CofferError('AUDIT_FILE', `The file ${why}, so it is no checkpoint and no proof.`, {
    advice: 'Give the file `checkpoint` of a log, a copy of an earlier one, or what coffer audit prove wrote.',
    data: { file },
  });
}
