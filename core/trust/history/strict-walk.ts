import { CofferError } from '../../errors.ts';
import { isAncestor } from '../../git/commits/commit-walk.ts';
import type { Commit, Repository } from '../../git/repository.ts';
import type { Side } from '../../git/trees/changes.ts';
import type { Signer } from '../../signatures/signer.ts';
import type { Scope } from '../aspects/scope.ts';
import { type Holding, WEIGHTS } from '../holding.ts';
import type { Endorsement } from './endorsements.ts';
import type { Ledger, Signatories } from './ledger.ts';
import { Merge, type Parent } from './merge.ts';
import { hold, proposal, proposalsOf } from './proposals.ts';
import { State } from './state.ts';
import type { Proposal } from './violation.ts';
import type { Witnesses } from './witnesses.ts';

export interface StrictWalkParts {
  repository: Repository;
  scope: Scope;
  ledger: Ledger;
  holding: Holding;
  witnesses: Witnesses;
  endorsements: readonly Endorsement[];
}

/** Judges each commit by what it changes against its parents, parents first. */
export class StrictWalk {
  readonly #parts: StrictWalkParts;
  readonly #states = new Map<string, State>();
  readonly #descended = new Set<string>();
  readonly #children = new Map<string, number>();
  /** Who answered for a commit, for messages. */
  readonly signers = new Map<string, readonly Signer[]>();

  constructor(parts: StrictWalkParts) {
    this.#parts = parts;
  }

  /**
   * `root`: from which on is judged, with what is outstanding there. `commits`: those that the head reaches and it does not.
   * Throws `TRUST_HISTORY_SHALLOW`, `TRUST_MERGE_TOO_WIDE`, `TRUST_CHANGES_TOO_LARGE`.
   */
  async walk(root: string, state: State, found: readonly Commit[]): Promise<State> {
    // As git does where it makes a commit itself; a parent that is named again says nothing more.
    const commits = found.map((commit) => ({ ...commit, parents: [...new Set(commit.parents)] }));
    this.#refuseShallow(commits);
    await this.#endorseFormer(state, new Set(commits.map(({ oid }) => oid)));
    this.#states.set(root, state);
    this.#descended.add(root);
    for (const parent of commits.flatMap(({ parents }) => parents)) {
      this.#children.set(parent, (this.#children.get(parent) ?? 0) + 1);
    }
    let last = state;
    for (const commit of commits) {
      await this.#parts.scope.turn();
      this.#parts.holding.begin(commit.oid);
      last = await this.#judge(commit);
      this.#states.set(commit.oid, last);
      if (commit.parents.some((parent) => this.#descended.has(parent))) this.#descended.add(commit.oid);
    }
    return last;
  }

  async #judge(commit: Commit): Promise<State> {
    const [parent] = commit.parents;
    const state = commit.parents.length > 1 ? await this.#merge(commit) : await this.#single(commit, parent);
    for (const { signer, abandons } of this.#endorsing(commit.oid)) {
      if (abandons.length > 0) this.#parts.ledger.endorse(state, [signer], () => true);
    }
    return state;
  }

  async #single(commit: Commit, parent: string | undefined): Promise<State> {
    const { repository, scope, ledger, holding } = this.#parts;
    const state = parent === undefined ? new State() : this.#take(parent);
    const before = parent === undefined ? null : (await repository.readCommit(parent)).tree;
    const changes = await scope.changes(before, commit.tree);
    if (changes.length === 0) return state;
    await ledger.apply(state, await this.#author(commit), await proposalsOf(scope, changes, holding));
    return state;
  }

  async #merge(commit: Commit): Promise<State> {
    const { repository, ledger } = this.#parts;
    const parents: Parent[] = [];
    for (const oid of commit.parents) {
      const parent = await repository.readCommit(oid);
      parents.push({
        commit: parent,
        state: this.#states.get(oid) ?? new State(),
        isDescended: this.#descended.has(oid),
      });
    }
    const { state, proposals, brought, isTouching } = await new Merge(this.#parts, commit, parents).read();
    for (const oid of commit.parents) this.#release(oid);
    if (!isTouching) return state;
    const author = await this.#author(commit);
    const unsigned = author.signers.length === 0 ? await this.#brought(state, brought) : [];
    const replaced = new Set(unsigned.map(({ path }) => path));
    const own = proposals.filter(({ path, aspect }) => aspect !== '' || !replaced.has(path));
    await ledger.apply(state, author, [...own, ...unsigned]);
    return state;
  }

  /** What a merge that nobody signed brings to where it was not: nobody said that it belongs there, whoever signed it elsewhere. */
  async #brought(state: State, files: ReadonlyMap<string, Side | undefined>): Promise<Proposal[]> {
    const { scope, holding } = this.#parts;
    const proposals = [];
    for (const [path, side] of files) {
      state.set(path, '', undefined);
      const to = await scope.aspects(path, side);
      const made = { ...proposal(path, '', new Map(), to), isBrought: true };
      hold(holding, made);
      proposals.push(made);
    }
    return proposals;
  }

  async #author(commit: Commit): Promise<Signatories> {
    const witness = await this.#parts.witnesses.ofCommit(commit);
    const endorsers = this.#endorsing(commit.oid).map(({ signer }) => signer);
    const signers = witness.signer === undefined ? endorsers : [witness.signer, ...endorsers];
    this.signers.set(commit.oid, signers);
    if (witness.fault !== undefined) this.#parts.holding.keep(WEIGHTS.fault);
    return { commit: commit.oid, signers, ...(witness.fault === undefined ? {} : { fault: witness.fault }) };
  }

  #endorsing(commit: string): readonly Endorsement[] {
    return this.#parts.endorsements.filter((endorsement) => endorsement.commit === commit);
  }

  /** Endorsements of what was accepted before and is held back since. */
  async #endorseFormer(state: State, walked: ReadonlySet<string>): Promise<void> {
    const { repository, scope, endorsements, ledger } = this.#parts;
    for (const { commit, signer, abandons } of endorsements) {
      await scope.turn();
      if (walked.has(commit)) continue;
      const isMeant = new Set([commit]);
      for (const { commit: other } of abandons.length > 0 ? state.bad() : []) {
        if (repository.objects.has(other) && (await isAncestor(repository, other, commit))) isMeant.add(other);
      }
      ledger.endorse(state, [signer], (bad) => isMeant.has(bad.commit));
    }
  }

  /** A state to go on with; the last of a commit's children gets that of its parent itself. */
  #take(parent: string): State {
    const state = this.#states.get(parent);
    const isLast = (this.#children.get(parent) ?? 0) <= 1;
    this.#release(parent);
    return state === undefined ? new State() : isLast ? state : state.copy();
  }

  #release(parent: string): void {
    const left = (this.#children.get(parent) ?? 0) - 1;
    this.#children.set(parent, left);
    if (left <= 0) this.#states.delete(parent);
  }

  #refuseShallow(commits: readonly Commit[]): void {
    const shallow = this.#parts.repository.shallow();
    const end = commits.find(({ oid, parents }) => parents.length > 0 && shallow.has(oid));
    if (end === undefined) return;
    throw historyShallow(end.oid);
  }
}

/** Where a clone ends, nobody can say what a commit changed. */
export function historyShallow(commit: string): CofferError {
  return new CofferError(
    'TRUST_HISTORY_SHALLOW',
    `the clone ends at the commit ${commit.slice(0, 12)}, before what has to be judged`,
    {
      advice: 'Fetch all of the history: `git fetch --unshallow`, or `fetch-depth: 0` for a checkout in CI.',
      data: { commit },
    },
  );
}
