import { Bug, CofferError, nothingFor } from '../../../core/errors.ts';
import { isAncestor } from '../../../core/git/commits/commit-walk.ts';
import type { Repository } from '../../../core/git/repository.ts';
import type { Replacement } from '../../../core/git/trees/tree-writer.ts';
import { judge } from '../../../core/trust/judge.ts';
import { ReachRule } from '../../../core/trust/policy/reach-rule.ts';
import type { Learnt, SealedBefore } from '../../../core/trust/sealed/sealed-before.ts';
import type { Return, Verdict } from '../../../core/trust/verdict.ts';
import { type Acceptance, acceptancesOf } from '../../trust/acceptances.ts';
import type { Floor, Floors } from '../../trust/floors.ts';
import { type HeldPath, heldPath } from '../../trust/held-path.ts';
import type { Basis, Remembered } from '../../trust/memory.ts';
import type { PolicyFile } from '../../trust/policy-file.ts';
import { sourceFault } from '../remote/faults.ts';
import type { Head } from '../remote/remote.ts';
import { type Base, baseAt, baseOf, baseOfFloor, lastBefore } from './base.ts';
import { isConfirmed } from './confirmations.ts';
import { CommitRefused, emptied, firstUnnamed, pathMissing, rewound } from './refusals.ts';
import type { Standard } from './standard.ts';

export interface TrustSettings {
  mode: 'off' | 'head' | 'strict';
  policy?: PolicyFile;
  firstCommit?: string;
  /** Only the files that a refused commit changes are held back. Where nobody need sign it is always so. */
  perPath: boolean;
}

export interface AdmissionParts {
  id: string;
  address: string;
  /** The branch, or the glob of tags. */
  follows: string;
  path: string;
  namespaces?: readonly string[];
  trust: TrustSettings;
  stateDirectory: string;
  floors: Floors;
  sealedBefore: SealedBefore;
  /** Milliseconds that judging one head may take. */
  judging: number;
  /** Bytes that judging one head may hold of what changed; absent: half of node's heap. */
  mostHeld?: number;
  now: () => Date;
}

/** A signer's time may begin or end while nothing else changes: in milliseconds, how long a verdict is remembered at most. */
const VERDICT_AGE = 3_600_000;

/** More than this is no team's mistake: the whole commit is held back. As where floors have no room for what is held. */
const MOST_HELD = 1000;

export interface Admitted extends Pick<Remembered, 'acceptance' | 'signer' | 'endorsedBy' | 'since' | 'outstanding'> {
  basis: Basis;
  held: readonly HeldPath[];
  returns: readonly Return[];
  learnt: Learnt;
  /** What stands in the place of held paths; `undefined`: nothing. */
  replacements: ReadonlyMap<string, Replacement | undefined>;
}

/** Decides whether a commit that was fetched whole may follow what was accepted, and what of it. */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Throws why the policy cannot be read: nothing new is taken then. */
  async standard(commit: string, ahead: Floor | undefined, signal: AbortSignal): Promise<Standard> {
    const { id, trust, stateDirectory, now } = this.#parts;
    const policy = await trust.policy?.read();
    const acceptances = await acceptancesOf(stateDirectory, id, now());
    const isSaid = await isConfirmed(stateDirectory, commit);
    const age = Math.floor(now().getTime() / VERDICT_AGE);
    const key = JSON.stringify([policy?.digest, acceptances, isSaid, ahead?.commit, ahead?.generation, age]);
    return { policy, acceptances, isConfirmed: isSaid, ahead, signal, key };
  }

  /** While the policy cannot be read, as it was read last. Throws why, where nobody knows how that was. */
  async reach(): Promise<ReachRule> {
    const { trust, namespaces } = this.#parts;
    return new ReachRule(namespaces, (await trust.policy?.lastingRules())?.namespaces);
  }

  /** Whether `reach` would not throw what is wrong with the policy. */
  async isReachKnown(): Promise<boolean> {
    return (await this.reach().catch(nothingFor())) !== undefined;
  }

  /** Whether this state was taken as the mode asks now, or when nobody had to sign: then trust does not begin with it. */
  isProven(former: Pick<Remembered, 'basis'> | undefined): boolean {
    return this.#parts.trust.mode === 'off' || former?.basis !== 'unsigned';
  }

  /** Whether more than the newest commit has to be there to tell what it follows. */
  needsHistory(former: Remembered | undefined, { ahead }: Standard): boolean {
    const { trust, floors } = this.#parts;
    if (trust.mode === 'strict' || ahead !== undefined || !this.isProven(former)) return true;
    const isNamed = trust.mode !== 'off' || trust.firstCommit !== undefined;
    return former === undefined && (isNamed || floors.besides(this.#place()).length > 0);
  }

  /**
   * Throws CofferError: `SOURCE_…` (`SOURCE_JUDGING_TIMEOUT`: whoever pushes chooses how much work it is), `TRUST_…`; CommitRefused where
   * rules forbid single changes and all is held for them.
   */
  async admit(
    repository: Repository,
    head: Head,
    former: Remembered | undefined,
    standard: Standard,
  ): Promise<Admitted> {
    const { address, judging } = this.#parts;
    const limit = AbortSignal.timeout(judging);
    const signal = AbortSignal.any([standard.signal, limit]);
    try {
      return await this.#admit(repository, head, former, { ...standard, signal });
    } catch (error) {
      if (error !== limit.reason || !limit.aborted) throw error;
      throw sourceFault('SOURCE_JUDGING_TIMEOUT', { address, commit: head.commit, cause: error });
    }
  }

  async #admit(
    repository: Repository,
    head: Head,
    former: Remembered | undefined,
    standard: Standard,
  ): Promise<Admitted> {
    const accepted = await lastBefore(repository, head.commit, standard.acceptances);
    const admitted = await this.#byRules(repository, head, former, standard).catch((error: unknown) => {
      if (accepted === undefined || !(error instanceof CofferError)) throw error;
      return undefined;
    });
    if (admitted !== undefined && (admitted.held.length === 0 || accepted === undefined)) {
      await this.#refuseEmpty(repository, head.commit, standard);
      return admitted;
    }
    if (accepted === undefined) throw new Bug('what is not admitted was refused');
    if (accepted.commit !== head.commit) await this.#refuseEmpty(repository, head.commit, standard);
    return this.#byPerson(repository, head, accepted, standard);
  }

  /**
   * Judges a commit of ours that nobody has pushed yet, as if the branch were that; nothing of it is remembered. Undefined: it would
   * be taken. `repository` sees what was accepted, and the commit.
   */
  async rehearse(
    repository: Repository,
    commit: string,
    former: Remembered | undefined,
    signal: AbortSignal,
  ): Promise<CofferError | undefined> {
    // Where nobody has to sign, rotations change nothing that is judged.
    if (this.#parts.trust.mode === 'off') return undefined;
    const before = new Set(former?.held.map(({ path, aspect }) => `${path}\n${aspect}`));
    const isNew = ({ path, aspect }: HeldPath) => !before.has(`${path}\n${aspect}`);
    try {
      const standard = await this.standard(commit, undefined, signal);
      const head = { commit, ref: `refs/heads/${this.#parts.follows}` };
      return (await this.admit(repository, head, former, standard)).held.find(isNew)?.error;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      return error instanceof CommitRefused ? (error.held.find(isNew)?.error ?? error) : error;
    }
  }

  async #byRules(
    repository: Repository,
    head: Head,
    former: Remembered | undefined,
    standard: Standard,
  ): Promise<Admitted> {
    const base = this.#base(repository, former, standard);
    const { mode } = this.#parts.trust;
    if (base === undefined) return this.#first(repository, head, standard);
    const isFirst = mode !== 'off' && base.isUnproven;
    if ((mode === 'off' || isFirst) && !(await isAncestor(repository, base.accepted, head.commit))) {
      throw rewound(this.#parts.address, head.commit, base.accepted);
    }
    if (isFirst) return this.#first(repository, head, standard);
    return this.#follow(repository, head, base, standard, mode === 'off' ? 'unsigned' : 'signed');
  }

  /** Nothing was accepted of this source, or only while nobody had to sign. */
  async #first(repository: Repository, head: Head, standard: Standard): Promise<Admitted> {
    const { address, trust, floors } = this.#parts;
    for (const { commit } of floors.besides(this.#place())) {
      if (await isAncestor(repository, commit, head.commit)) continue;
      throw rewound(address, head.commit, commit);
    }
    const { mode, firstCommit } = trust;
    const isUnsigned = mode === 'off';
    if (firstCommit === head.commit || (isUnsigned && firstCommit === undefined)) {
      return this.#begin(repository, head, standard, isUnsigned ? 'unsigned' : 'configured');
    }
    if (firstCommit === undefined || !(await isAncestor(repository, firstCommit, head.commit))) {
      throw firstUnnamed(address, head.commit, firstCommit);
    }
    return this.#follow(
      repository,
      head,
      await baseAt(repository, firstCommit),
      standard,
      isUnsigned ? 'unsigned' : 'signed',
    );
  }

  /** A person looked at this commit, or at one before it. */
  async #byPerson(repository: Repository, head: Head, accepted: Acceptance, standard: Standard): Promise<Admitted> {
    if (accepted.commit !== head.commit) {
      const base = await baseAt(repository, accepted.commit);
      return { ...(await this.#follow(repository, head, base, standard, 'person')), acceptance: accepted };
    }
    // What a person let in has no cap.
    const { learnt } = await this.#judgeUnsigned(repository, head, standard, { mostHeld: Infinity });
    return {
      ...{ basis: 'person', acceptance: accepted, since: head.commit, learnt },
      ...{ outstanding: [], held: [], returns: [], replacements: new Map() },
    };
  }

  /** Without a base: where manifests write is judged, who wrote them is not. */
  async #begin(repository: Repository, head: Head, standard: Standard, basis: Basis): Promise<Admitted> {
    const verdict = await this.#judgeUnsigned(repository, head, standard);
    return this.#admitted(head, verdict, undefined, basis);
  }

  #judgeUnsigned(
    repository: Repository,
    head: Head,
    standard: Standard,
    more: { mostHeld?: number } = {},
  ): Promise<Verdict> {
    return judge({ ...this.#input(repository, head, standard), mode: 'off', outstanding: [], ...more });
  }

  async #follow(repository: Repository, head: Head, base: Base, standard: Standard, basis: Basis): Promise<Admitted> {
    const { accepted, outstanding } = base;
    const verdict = await judge({ ...this.#input(repository, head, standard), accepted, outstanding });
    return this.#admitted(head, verdict, base, verdict.endorsedBy === undefined ? basis : 'endorsed');
  }

  #input(repository: Repository, { commit, tag, ref }: Head, { policy, signal }: Standard) {
    const { trust, namespaces, path, sealedBefore, mostHeld, now } = this.#parts;
    return {
      ...{ repository, mode: trust.mode, path, head: commit, ref, sealedBefore, now: now(), signal },
      ...(tag === undefined ? {} : { tag }),
      ...(policy === undefined ? {} : { policy }),
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(mostHeld === undefined ? {} : { mostHeld }),
    };
  }

  async #admitted({ commit }: Head, verdict: Verdict, base: Base | undefined, basis: Basis): Promise<Admitted> {
    const { signer, endorsedBy, returns, outstanding, learnt } = verdict;
    const held = verdict.refusals.map(heldPath);
    const [first, ...others] = held;
    const paths = new Set(held.map(({ path }) => path));
    const isKept = this.#holdsPaths(basis) && paths.size <= MOST_HELD;
    const replacements = new Map<string, Replacement | undefined>();
    if (isKept) for (const path of paths) replacements.set(path, await base?.entryAt(path));
    if (first !== undefined && (!isKept || !this.#parts.floors.hasRoom(outstanding, replacements))) {
      throw new CommitRefused(this.#parts.address, commit, first, others);
    }
    const since = held.length === 0 ? commit : base?.since;
    return {
      ...{ basis, held, returns, outstanding, learnt, replacements },
      ...(since === undefined ? {} : { since }),
      ...(signer === undefined ? {} : { signer }),
      ...(endorsedBy === undefined ? {} : { endorsedBy }),
    };
  }

  /** Where trust begins nothing may be in doubt: what was held of it would be taken for good later. */
  #holdsPaths(basis: Basis): boolean {
    const { mode, perPath } = this.#parts.trust;
    return (mode === 'off' || perPath) && basis !== 'configured';
  }

  async #refuseEmpty(repository: Repository, commit: string, standard: Standard): Promise<void> {
    const { address, path } = this.#parts;
    const { tree } = await repository.readCommit(commit);
    const isEmpty = (await repository.readTree(tree)).entries.length === 0;
    const isMissing = (await repository.entryAt(tree, path)) === undefined;
    if ((!isEmpty && !isMissing) || standard.isConfirmed) return;
    throw isEmpty ? emptied(address, commit) : pathMissing(address, commit, path);
  }

  #base(repository: Repository, former: Remembered | undefined, { ahead }: Standard): Base | undefined {
    if (ahead !== undefined) return baseOfFloor(repository, ahead);
    return former && baseOf(repository, former);
  }

  #place(): Pick<Floor, 'source' | 'address' | 'follows'> {
    const { id, address, follows } = this.#parts;
    return { source: id, address, follows };
  }
}
