import { Bug } from '../errors.ts';
import type { Repository } from '../git/repository.ts';
import type { Signer } from '../signatures/signers.ts';
import type { Policy } from './policy.ts';
import type { SealedBefore } from './sealed-before.ts';
import type { Verdict } from './verdict.ts';

export interface JudgeInput {
  repository: Repository;
  mode: 'off' | 'head' | 'strict';
  policy?: Policy;
  /** Of the source: where its manifests may write; absent: everywhere. */
  namespaces?: readonly string[];
  /** The folder of the source; `''`: the root. */
  path: string;
  /** The last accepted commit in which nothing was held back; absent: nothing was accepted, and the caller made sure that `head` may be the first. */
  since?: string;
  /** The last accepted commit; absent: `since`. */
  accepted?: string;
  head: string;
  /** The annotated tag that names the head, where a tag is followed. */
  tag?: string;
  /** Signers of commits between `since` and `accepted`, as they were found when these were first seen, in that order. */
  verified: ReadonlyMap<string, Signer>;
  sealedBefore: SealedBefore;
  now: Date;
}

/** Throws `TRUST_DIVERGED`, `TRUST_HISTORY_SHALLOW`, `TRUST_POLICY_MISSING`; what is wrong with single changes is in the verdict. */
export async function judge(_input: JudgeInput): Promise<Verdict> {
  throw new Bug('not written yet');
}
