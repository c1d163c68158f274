import { Bug } from '../errors.ts';
import type { ObjectType } from './pack.ts';
import type { Repository } from './repository.ts';

/** What stands at a path; as in TreeEntry. */
export interface Replacement {
  mode: string;
  oid: string;
}

/**
 * Makes the tree that differs from `tree` in some paths only: each is replaced, added, or (`undefined`) removed, and a folder
 * that is left empty goes. Only the folders above those paths are read and written. Returns the id of the new tree.
 */
export function replacePaths(
  _repository: Repository,
  _write: (type: ObjectType, bytes: Buffer) => string,
  _tree: string,
  _replacements: ReadonlyMap<string, Replacement | undefined>,
): string {
  throw new Bug('not written yet');
}
