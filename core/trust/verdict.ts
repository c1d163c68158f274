import type { Subject } from '../../schemas/trust-policy.ts';
import type { CofferError } from '../errors.ts';
import type { Person } from '../git/repository.ts';
import type { Signer } from '../signatures/signers.ts';
import type { Return } from './history/value-rule.ts';
import type { Outstanding } from './history/violation.ts';
import type { Learnt } from './sealed/sealed-before.ts';

export type { Return } from './history/value-rule.ts';
export type { Outstanding } from './history/violation.ts';

/** What of a head must not be applied, and why. */
export interface Refusal {
  /** From the root of the repository. */
  path: string;
  /** What of the file, for people: `payments/db spec.readers[payments-api]`; `the file` where it is all of it. */
  aspect: string;
  subject: Subject | 'signature' | 'namespace' | 'data-key';
  /** The commit that made it so, all 40 digits. */
  commit: string;
  author: Person;
  /** `TRUST_…`: names commit, author, path and rule. */
  error: CofferError;
}

export interface Verdict {
  /** Of the head, or of the tag that names it. */
  signer?: Signer;
  /** Set where a head that does not descend from the accepted commit is taken because this commit endorses it. */
  endorsedBy?: { commit: string; signer: Signer };
  refusals: readonly Refusal[];
  returns: readonly Return[];
  /** To be remembered with the head when it is accepted, and given back when the next is judged: JSON-safe, [] where all is well. */
  outstanding: readonly Outstanding[];
  /** For SealedBefore.learn when the head is accepted. */
  learnt: Learnt;
}
