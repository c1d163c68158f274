import type { Subject } from '../../../schemas/trust-policy.ts';
import { isInCofferFolder } from '../../config/coffer-folder.ts';
import { CONFIG_PATH } from '../../config/repository.ts';
import { RECIPIENTS_FOLDER } from '../../keys/keyring.ts';
import { REQUESTS_FOLDER } from '../../requests/request.ts';

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
  return isInCofferFolder(path) ? 'rules' : undefined;
}
