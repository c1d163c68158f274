import type { Subject } from '../../../schemas/trust-policy.ts';
import { CONFIG_PATH } from '../../config/repository.ts';
import { IGNORABLE } from '../../git/trees/path.ts';
import { RECIPIENTS_FOLDER } from '../../keys/keyring.ts';
import { REQUESTS_FOLDER } from '../../requests/request.ts';

// Where file systems fold names, these reach `.coffer` too, as git's verify_path knows of `.git`: HFS+ passes over some code
// points, NTFS over dots and spaces at the end, and has short names.
const FOLDER = /^(?:\.coffer|coffer~[0-9])[ .]*$/;

/** Whether a name in a folder is `.coffer`, or could be taken for it in somebody's checkout. */
export function isCofferFolder(name: string): boolean {
  return FOLDER.test(name.replace(IGNORABLE, '').normalize('NFKC').toLowerCase());
}

/**
 * The subject of a file in `.coffer/`; undefined for one that is in no such folder. Only the one at the root, exactly so
 * written, means something to operators. Others count as rules: a person who works in a folder below `team/.coffer/`, or whose
 * file system folds case, would seal to what is said there.
 */
export function subjectOfCofferFile(path: string): Subject | undefined {
  if (path === CONFIG_PATH) return 'rules';
  if (path.startsWith(`${RECIPIENTS_FOLDER}/`)) return 'keyring';
  if (path.startsWith(`${REQUESTS_FOLDER}/endorse-`)) return 'endorse';
  if (path.startsWith(`${REQUESTS_FOLDER}/`)) return 'requests';
  return path.split('/').some(isCofferFolder) ? 'rules' : undefined;
}
