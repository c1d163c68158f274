import type { CofferError } from '../../core/errors.ts';

/** Work beside the projection, which a new commit may bring: keys to make, requests to fulfil. */
export interface Chore {
  /** At the start and after every poll; cheap when there is nothing. Throws nothing but mistakes of ours. */
  look(): Promise<void>;
  /** What stood in the way at the last look. */
  troubles(): readonly CofferError[];
}
