import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import type { Repository } from '../../core/git/repository.ts';
import { TreeWeights } from '../../core/git/tree-weights.ts';
import type { SealedBefore } from '../../core/trust/sealed-before.ts';
import { acceptancesOf, spendAcceptance } from '../trust/acceptances.ts';
import { type Floors, standsFor } from '../trust/floors.ts';
import type { HeldPath } from '../trust/held-path.ts';
import type { Memory, Remembered } from '../trust/memory.ts';
import { type Admission, lastBefore, type Standard } from './admission.ts';
import type { Clone } from './clone.ts';
import { sourceFault } from './faults.ts';
import { assertWhole, unreadable } from './inspect.ts';
import { isSameState, type NextState, nextState } from './next-state.ts';
import type { Quarantine } from './quarantine.ts';
import { CommitRefused } from './refusals.ts';
import type { Head, Remote } from './remote.ts';
import type { Accepted, Return, Source } from './source.ts';
import { stateFault } from './state-fault.ts';

/** Of what an earlier version accepted, which did not remember when. */
const LONG_AGO = new Date(0).toISOString();

export interface GitSourceParts {
  id: string;
  address: string;
  /** The branch, or the glob of tags. */
  follows: string;
  carriedBy: Source['carriedBy'];
  path: string;
  /** The folders that are read. */
  folders: readonly string[];
  clone: Clone;
  remote: Remote;
  memory: Memory;
  floors: Floors;
  sealedBefore: SealedBefore;
  admission: Admission;
  /** Of a poll, in milliseconds. */
  timeout: number;
  stateDirectory: string;
  now: () => Date;
}

/**
 * The order of a look: head → (refused already, and nothing changed?) → fetch into quarantine → whole? → may it follow → judged →
 * what counts of it, and the verdict, on disk → ref → floors → handed on. A kill between two of them leaves the former state or
 * the new one, for the ref alone says which counts.
 */
export class GitSource implements Source {
  readonly id: string;
  readonly address: string;
  readonly carriedBy: Source['carriedBy'];
  readonly path: string;
  readonly repository: Repository;
  readonly #parts: GitSourceParts;
  readonly #weights = new TreeWeights();
  /** A head that was fetched and refused, or is accepted in part: by the same standard it is neither fetched nor judged again. */
  #judged: { head: Head; key: string; error?: CofferError } | undefined;
  #held: readonly HeldPath[] | undefined;
  isSettled = false;
  /** A commit that this run accepted, or began to: its state is handed on even where something failed after the ref moved. */
  #untold: string | undefined;
  /** Of the rule that was handed on last. */
  #reachKey: string | undefined;
  /** The commit that this run handed on last. */
  #told: string | undefined;

  constructor(parts: GitSourceParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.address = parts.address;
    this.carriedBy = parts.carriedBy;
    this.path = parts.path;
    this.repository = parts.clone.repository;
  }

  get held(): readonly HeldPath[] {
    return this.#held ?? [];
  }

  get trouble(): CofferError | undefined {
    return this.#parts.floors.trouble;
  }

  async accepted(): Promise<Accepted | undefined> {
    const former = await this.#former();
    if (former === undefined) return undefined;
    this.#held ??= former.held;
    const described = await this.#describe(former, []);
    this.#reachKey ??= described.reach.key;
    return described;
  }

  async poll(signal: AbortSignal): Promise<Accepted | 'unchanged'> {
    const timeout = AbortSignal.timeout(this.#parts.timeout);
    try {
      return await this.#look(AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      if (!timeout.aborted) throw stateFault(error, this.#parts.stateDirectory);
      throw sourceFault('SOURCE_TIMEOUT', { address: this.address, cause: error });
    }
  }

  async compact(needed: Iterable<string>): Promise<void> {
    const former = await this.#former();
    const own = former === undefined ? [] : [former.tree, ...(former.since === undefined ? [] : [former.since])];
    function* all(): Generator<string> {
      yield* own;
      yield* needed;
    }
    await this.#parts.clone.compact(all());
  }

  async close(): Promise<void> {
    this.#parts.remote.close();
    this.#parts.clone.close();
    await this.#parts.sealedBefore.close();
  }

  async #look(signal: AbortSignal): Promise<Accepted | 'unchanged'> {
    const { remote, admission, floors, clone } = this.#parts;
    this.isSettled = false;
    const former = await this.#former();
    const ahead = await admission.ahead(this.repository, former);
    if (former === undefined || ahead !== undefined) await floors.settle();
    else await this.#keepFloor(former);
    if (former !== undefined && (await this.#spendUsed(former)) === 'owed') return this.#handOn(former, []);
    const head = await remote.head(signal);
    const standard = await admission.standard(head.commit, ahead);
    if (head.commit === former?.commit && ahead === undefined) return this.#lookAgain(head, former, standard);
    if (this.#isJudged(head, standard) && this.#judged?.error !== undefined) {
      this.isSettled = former !== undefined && ahead === undefined;
      throw this.#judged.error;
    }
    const quarantine = await clone.quarantine();
    try {
      const isWhole = admission.needsHistory(former, standard);
      await remote.fetch(quarantine, head, { isWhole }, signal);
      await this.#assertWhole(quarantine, head.commit, former?.commit, signal);
      const next = await this.#judge(quarantine.repository, head, former, standard);
      this.#untold = head.commit;
      await this.#keep(next, former, quarantine);
      return this.#handOn(next.remembered, next.returns);
    } finally {
      await quarantine.discard();
    }
  }

  /** Nothing new came; but what is held of the accepted commit may be right by another policy, or by a person's word. */
  async #lookAgain(head: Head, former: Remembered, standard: Standard): Promise<Accepted | 'unchanged'> {
    if (!this.#isJudged(head, standard) && former.held.length > 0) {
      const next = await this.#judge(this.repository, head, former, standard);
      if (!isSameState(next.remembered, former)) {
        this.#untold = head.commit;
        await this.#keep(next, former);
      }
    } else if (this.#isJudged(head, standard) && this.#judged?.error !== undefined) {
      throw this.#judged.error;
    }
    const now = (await this.#former()) ?? former;
    this.#held = now.held;
    const { key } = await this.#parts.admission.reach();
    this.#reachKey ??= key;
    const isOtherRule = key !== this.#reachKey;
    if (this.#untold === head.commit || isOtherRule) return this.#handOn(now, []);
    await this.#spendIdle(now, standard);
    return 'unchanged';
  }

  #isJudged(head: Head, { key }: Standard): boolean {
    const judged = this.#judged;
    return judged?.head.commit === head.commit && judged.head.tag === head.tag && judged.key === key;
  }

  async #assertWhole(
    quarantine: Quarantine,
    commit: string,
    previous: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { address } = this;
    const weights = this.#weights;
    if (!quarantine.isIntact(commit)) throw sourceFault('SOURCE_INCOMPLETE', { address, commit });
    await assertWhole(quarantine.repository, {
      commit,
      previous,
      parts: this.#parts.folders,
      address,
      weights,
      signal,
    });
  }

  async #judge(
    repository: Repository,
    head: Head,
    former: Remembered | undefined,
    standard: Standard,
  ): Promise<NextState> {
    const { admission, floors, now } = this.#parts;
    this.#judged = { head, key: standard.key };
    try {
      const admitted = await admission.admit(repository, head, former, standard);
      const next = await nextState(repository, head.commit, admitted, {
        now: now(),
        generation: 1 + Math.max(former?.generation ?? 0, floors.of(this.id)?.generation ?? 0),
      });
      this.#held = next.remembered.held;
      return next;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      const named = this.#named(error, head.commit);
      this.#judged = undefined;
      // What may be over at the next look (the disk, an object that was not sent) says nothing of the commit.
      if (named.loop === 'retry') throw named;
      this.#judged = { head, key: standard.key, error: named };
      this.isSettled = former !== undefined && standard.ahead === undefined;
      this.#held = error instanceof CommitRefused ? error.held : (former?.held ?? []);
      throw named;
    }
  }

  #named(error: CofferError, commit: string): CofferError {
    const { address } = this;
    if (error instanceof CommitRefused) return error;
    if (!error.code.startsWith('GIT_')) return error.at({ source: address, commit });
    return unreadable(error, { address, commit });
  }

  /** Nothing of it counts before the ref moves; of a commit that is accepted already, before its verdict is replaced. */
  async #keep(next: NextState, former: Remembered | undefined, quarantine?: Quarantine): Promise<void> {
    const { clone, memory, sealedBefore } = this.#parts;
    const { remembered, objects } = next;
    await objects.flushTo(join(clone.directory, 'objects'));
    await sealedBefore.learn(next.learnt);
    await memory.note(remembered, former?.commit);
    if (quarantine === undefined) this.repository.objects.refresh();
    else await clone.adopt(quarantine, remembered.commit);
    await this.#keepFloor(remembered);
  }

  /** Also what a run that was killed, or an earlier version, accepted and did not get to tell. */
  async #keepFloor(state: Remembered): Promise<void> {
    const { id, address, path } = this;
    const { floors, follows, memory } = this.#parts;
    const { commit, tree, outstanding, acceptedAt, held } = state;
    const known = floors.of(id);
    // What this state descends from, or nobody made, is not to count as later.
    const isPassed = known !== undefined && known.commit !== commit && known.generation >= state.generation;
    const generation = isPassed ? known.generation + 1 : state.generation;
    if (isPassed) await memory.note({ ...state, generation }, commit);
    if (floors.isKept({ source: id, commit, generation })) return floors.settle();
    const stands = await standsFor(this.repository, tree, held);
    const place = { source: id, address, follows, path };
    await floors.keep({ ...place, commit, outstanding, held: stands, time: acceptedAt, generation });
  }

  async #handOn(state: Remembered, returns: readonly Return[]): Promise<Accepted> {
    const described = await this.#describe(state, returns);
    this.#untold = undefined;
    this.#told = state.commit;
    this.#reachKey = described.reach.key;
    return described;
  }

  async #describe(state: Remembered, returns: readonly Return[]): Promise<Accepted> {
    const { commit, tree, basis, signer, endorsedBy, since, held, acceptedAt } = state;
    const { author } = await this.repository.readCommit(commit);
    const { name, email, time } = author;
    return {
      ...{ source: this.id, commit, tree, author: { name, email }, time, basis, held, returns },
      reach: await this.#parts.admission.reach(),
      ...(signer === undefined ? {} : { signer }),
      ...(endorsedBy === undefined ? {} : { endorsedBy }),
      ...(since === undefined ? {} : { since }),
      ...(acceptedAt === LONG_AGO ? {} : { acceptedAt }),
    };
  }

  /** What the ref names; before this operator judged commits, all of one was taken. */
  async #former(): Promise<Remembered | undefined> {
    const { clone, memory } = this.#parts;
    const commit = await clone.accepted();
    if (commit === undefined) return undefined;
    const known = memory.of(commit);
    if (known !== undefined) return known;
    const { tree } = await this.repository.readCommit(commit);
    return {
      commit,
      tree,
      acceptedAt: LONG_AGO,
      generation: 0,
      basis: 'unsigned',
      since: commit,
      outstanding: [],
      held: [],
    };
  }

  /**
   * What was used counts no more. `owed`: it was used, and the state that it let in was not handed on in this run, so that the audit
   * log may not have it.
   */
  async #spendUsed({ commit, acceptance }: Remembered): Promise<'owed' | 'spent'> {
    const { stateDirectory, now } = this.#parts;
    const isThere = (await acceptancesOf(stateDirectory, this.id, now())).some((given) => given === acceptance);
    if (!isThere || acceptance === undefined) return 'spent';
    if (this.#told !== commit) return 'owed';
    await spendAcceptance(stateDirectory, this.id, acceptance);
    return 'spent';
  }

  /** While the head is accepted as it is nobody needs these; later they would let the branch be rewound to them. */
  async #spendIdle({ commit, held }: Remembered, { acceptances }: Standard): Promise<void> {
    if (held.length > 0) return;
    for (const given of acceptances) {
      if ((await lastBefore(this.repository, commit, [given])) === undefined) continue;
      await spendAcceptance(this.#parts.stateDirectory, this.id, given);
    }
  }
}
