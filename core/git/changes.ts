import { Bug } from '../errors.ts';
import type { Repository } from './repository.ts';

export interface Side {
  oid: string;
  /** As in TreeEntry. */
  mode: string;
}

/** A path that differs: added without `before`, removed without `after`. */
export interface Change {
  /** From the root of the repository, with `/`. */
  path: string;
  before?: Side;
  after?: Side;
}

export interface ChangesOptions {
  /** Only this folder (or file) and what is below it. */
  under?: string;
  /** Called for every name that git allows and we do not (core/git/path.ts), on the side of `to`. */
  refused?: (path: string) => void;
}

/**
 * The files that differ between two trees, in order of path. Folders that are equal on both sides are not read. Symlinks
 * and submodules are reported by their mode and never followed.
 */
// biome-ignore lint/correctness/useYield: not written yet
export async function* changesBetween(
  _repository: Repository,
  _from: string | null,
  _to: string | null,
  _options: ChangesOptions = {},
): AsyncGenerator<Change> {
  throw new Bug('not written yet');
}
