import type { CofferError } from '../../core/errors.ts';
import type { Person } from '../../core/git/repository.ts';

/** A file whose newest version is not taken: where an older one was accepted, that one stays. */
export interface HeldPath {
  /** From the root of the repository. */
  path: string;
  /** What of the file, for people: `spec.readers`. */
  aspect: string;
  /** That changed it, and whose author is named: neither is proven. */
  commit: string;
  author: Person;
  error: CofferError;
}
