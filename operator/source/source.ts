import type { AuditActor } from '../../core/audit/record.ts';
import type { CofferError } from '../../core/errors.ts';
import type { Person, Repository } from '../../core/git/repository.ts';
import type { Signer } from '../../core/signatures/signers.ts';
import type { ReachRule } from '../../core/trust/policy/reach-rule.ts';
import type { Return } from '../../core/trust/verdict.ts';
import type { HeldPath } from '../trust/held-path.ts';
import type { Basis } from '../trust/memory.ts';

/** A state of a source that was fetched whole, checked and judged: what is projected comes from here. */
export interface Accepted {
  /** `Source.id`. */
  source: string;
  commit: string;
  /** The commit's tree; where paths are held back, one of our own that has them as they were accepted last. */
  tree: string;
  author: Person;
  /** Of the commit, in seconds since 1970, UTC. */
  time: number;
  basis: Basis;
  /** RFC 3339 in UTC; absent: by a version that did not remember it. */
  acceptedAt?: string;
  /** The last commit in which nothing was held back; absent: there was none. */
  since?: string;
  /** Of the commit, of its tag, or of who endorsed it; absent: nobody need sign. */
  signer?: Signer;
  /** The commit that endorses this one, or one before it. */
  endorsedBy?: { commit: string; signer: Signer };
  /** Of basis `person`: who gave the word, as far as that is known. */
  acceptedBy?: AuditActor;
  /** What of the commit is not in `tree`. */
  held: readonly HeldPath[];
  /** Entries that were given a sealed text again that they had lost. */
  returns: readonly Return[];
  reach: ReachRule;
  /** Whether the audit log has it. */
  isTold: boolean;
}

/** Where manifests come from. */
export interface Source {
  /** Stable between runs; made of the address, the branch or tag, and the path. Safe as a file name. */
  readonly id: string;
  /** For people, without credentials. */
  readonly address: string;
  /** `operator`: its manifests are projected. `objects`: others apply them to the cluster, and this source vouches for those. */
  readonly carriedBy: 'operator' | 'objects';
  /** The folder that holds manifests, from the root; '' is the root. */
  readonly path: string;
  /** Holds every accepted state, also when the place that it came from is gone. */
  readonly repository: Repository;
  /** What the last look held back: paths of the accepted commit, or of one that was refused as a whole. */
  readonly held: readonly HeldPath[];
  /**
   * The last look saw the newest commit and refused it, and nothing newer than the accepted one is known of: what is accepted is what
   * counts now.
   */
  readonly isSettled: boolean;
  /** What stands in the way beside the looks. */
  readonly trouble: CofferError | undefined;
  /** The state that was accepted last, also by an earlier run. */
  accepted(): Promise<Accepted | undefined>;
  /** Looks once. Throws CofferError (`SOURCE_…`, `TRUST_…`) and keeps what was accepted when anything is wrong with what it finds. */
  poll(signal: AbortSignal): Promise<Accepted | 'unchanged'>;
  /** The audit log has this state: else it is handed on again by the next run. */
  told(state: Accepted): Promise<void>;
  /**
   * Why this source would not take a commit of ours, if its branch were that; undefined: it would. `repository` sees what the source
   * has, and the commit.
   */
  refusalOf(repository: Repository, commit: string, signal: AbortSignal): Promise<CofferError | undefined>;
  /** Forgets, when that is worth it, what neither the accepted state nor these objects reach. */
  compact(needed: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}
