import { CofferError } from '../../errors.ts';

/**
 * What a tree may cost those who walk all of it, folder by folder. Ten trees of 350 bytes, each with ten times the one below
 * it, name ten thousand million paths: what is small to store can be without end to walk.
 */
export const MOST_OF_TREE = 250_000;

/** Reading so many bytes of a folder, and passing over what is equal in it, costs as much as a file does. */
const UNIT = 1024;

/** Of looking at entries, and at the bytes of their folders. */
export function costOf(entries: number, bytes: number): number {
  return entries + bytes / UNIT;
}

/** For one look at a tree, or at what differs between two. */
export class WalkBudget {
  readonly #most: number;
  #spent = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Throws `GIT_TREE_TOO_LARGE`. */
  spend(entries: number, bytes: number): void {
    this.#spent += costOf(entries, bytes);
    if (this.#spent > this.#most) throw treeTooLarge(this.#most);
  }
}

export function treeTooLarge(most: number): CofferError {
  return new CofferError('GIT_TREE_TOO_LARGE', `more than ${most} files and folders are there or differ`, {
    advice: 'Keep the secrets in a folder of their own and name that as `path`, and take out what is so large.',
  });
}
