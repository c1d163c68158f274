import type { CofferError } from '../../core/errors.ts';
import type { Person } from '../../core/git/repository.ts';
import type { Refusal } from '../../core/trust/verdict.ts';

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

/** Of a name that somebody else chose so much is shown. */
const LONGEST = 200;

export function heldPath({ path, aspect, commit, author: { name, email }, error }: Refusal): HeldPath {
  return { path, aspect, commit, author: { name: shown(name), email: shown(email) }, error };
}

function shown(text: string): string {
  return text.slice(0, LONGEST).replace(/\p{C}/gu, '\u{fffd}');
}
