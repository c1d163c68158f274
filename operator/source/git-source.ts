import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import type { Repository } from '../../core/git/repository.ts';
import { TreeWeights } from '../../core/git/trees/tree-weights.ts';
import type { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import { spendAcceptance } from '../trust/acceptances.ts';
import type { Floors } from '../trust/floors.ts';
import type { HeldPath } from '../trust/held-path.ts';
import { type Memory, nameOf, type Remembered } from '../trust/memory.ts';
import type { Admission } from './admission/admission.ts';
import { lastBefore } from './admission/base.ts';
import { isSameState, type NextState, nextState } from './admission/next-state.ts';
import { CommitRefused } from './admission/refusals.ts';
import type { Standard } from './admission/standard.ts';
import type { Clone } from './clone/clone.ts';
import type { Quarantine } from './clone/quarantine.ts';
import { assertWhole, unreadable } from './inspect.ts';
import { sourceFault } from './remote/faults.ts';
import type { Head, Remote } from './remote/remote.ts';
import type { Accepted, Source } from './source.ts';
import { LONG_AGO, Standing, UNKNOWN } from './standing.ts';
import { stateFault } from './state-fault.ts';
import { TimeLimit } from './time-limit.ts';

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
  /** What comes now in this look says nothing of the server. */
  #isFetched = false;
  /** Of the rule, and the state, that this run handed on last. */
  #reachKey: string | undefined;
  #handedOn: string | undefined;
  readonly #standing: Standing;

  constructor(parts: GitSourceParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.address = parts.address;
    this.carriedBy = parts.carriedBy;
    this.path = parts.path;
    this.repository = parts.clone.repository;
    this.#standing = new Standing(parts);
  }

  get held(): readonly HeldPath[] {
    return this.#held ?? [];
  }

  get trouble(): CofferError | undefined {
    return this.#parts.floors.trouble;
  }

  async accepted(): Promise<Accepted | undefined> {
    const former = await this.#standing.former();
    // What was held back of it is not known before the next look, and must not be let in until then.
    if (former === undefined || former.generation === UNKNOWN) return undefined;
    // Nor is known where it may write: nothing is claimed before the policy can be read.
    if (!(await this.#parts.admission.isReachKnown())) return undefined;
    this.#held ??= former.held;
    const described = await this.#describe(former);
    this.#reachKey ??= described.reach.key;
    return described;
  }

  async poll(signal: AbortSignal): Promise<Accepted | 'unchanged'> {
    const limit = new TimeLimit(this.#parts.timeout);
    try {
      return await this.#look(limit, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.signal.aborted || this.#isFetched) throw stateFault(error, this.#parts.stateDirectory);
      throw sourceFault('SOURCE_TIMEOUT', { address: this.address, cause: error });
    } finally {
      limit.end();
    }
  }

  async told(state: Accepted): Promise<void> {
    await this.#parts.memory.tell(state);
  }

  async refusalOf(repository: Repository, commit: string, signal: AbortSignal): Promise<CofferError | undefined> {
    return this.#parts.admission.rehearse(repository, commit, await this.#standing.former(), signal);
  }

  async compact(needed: Iterable<string>): Promise<void> {
    const former = await this.#standing.former();
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

  /** `limit`: of the fetch. `ends`: of the process; how long the history is says nothing of the server, so that judging has a limit of its own. */
  async #look(limit: TimeLimit, ends: AbortSignal): Promise<Accepted | 'unchanged'> {
    const { remote, admission, floors, clone } = this.#parts;
    const signal = AbortSignal.any([ends, limit.signal]);
    this.isSettled = false;
    this.#isFetched = false;
    const former = await this.#standing.former();
    const ahead = await this.#standing.ahead(former);
    if (former === undefined || ahead !== undefined) await floors.settle();
    else await this.#standing.keep(former);
    // Killed before it was recorded, or something failed after the ref moved.
    const isOwed = former !== undefined && this.#standing.isOwed(former) && this.#handedOn !== nameOf(former);
    if (isOwed && ahead === undefined) return this.#handOn(former);
    if (former !== undefined) await this.#spendUsed(former);
    const head = await remote.head(signal);
    const standard = await admission.standard(head.commit, ahead, ends);
    if (head.commit === former?.commit && ahead === undefined && admission.isProven(former)) {
      return this.#lookAgain(head, former, standard);
    }
    if (this.#isJudged(head, standard) && this.#judged?.error !== undefined) {
      this.isSettled = former !== undefined && ahead === undefined;
      throw this.#judged.error;
    }
    const quarantine = await clone.quarantine(limit);
    try {
      const isWhole = admission.needsHistory(former, standard);
      await remote.fetch(quarantine, head, { isWhole }, signal);
      await this.#assertWhole(quarantine, head.commit, former?.commit, signal);
      const next = await this.#judge(quarantine.repository, head, former, standard);
      await this.#keep(next, former, quarantine);
      return this.#handOn(next.remembered);
    } finally {
      await quarantine.discard();
    }
  }

  /** Nothing new came; but what is held of the accepted commit may be right by another policy, or by a person's word. */
  async #lookAgain(head: Head, former: Remembered, standard: Standard): Promise<Accepted | 'unchanged'> {
    if (!this.#isJudged(head, standard) && former.held.length > 0) {
      const next = await this.#judge(this.repository, head, former, standard);
      if (!isSameState(next.remembered, former)) {
        await this.#keep(next, former);
        return this.#handOn(next.remembered);
      }
    } else if (this.#isJudged(head, standard) && this.#judged?.error !== undefined) {
      this.isSettled = true;
      throw this.#judged.error;
    }
    this.#held = former.held;
    const { key } = await this.#parts.admission.reach();
    this.#reachKey ??= key;
    if (key !== this.#reachKey) return this.#handOn(former);
    await this.#spendIdle(former, standard);
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
    this.#isFetched = true;
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
    const judged = this.#judged;
    // What cannot be kept (a full disk) is no verdict: it is judged again.
    this.#judged = undefined;
    await objects.flushTo(join(clone.directory, 'objects'));
    await sealedBefore.learn(next.learnt);
    await memory.note(remembered, former?.commit);
    if (quarantine === undefined) this.repository.objects.refresh();
    else await clone.adopt(quarantine, remembered.commit);
    await this.#standing.keep(remembered);
    this.#judged = judged;
  }

  async #handOn(state: Remembered): Promise<Accepted> {
    const described = await this.#describe(state);
    this.#handedOn = nameOf(state);
    this.#reachKey = described.reach.key;
    return described;
  }

  async #describe(state: Remembered): Promise<Accepted> {
    const { commit, tree, basis, signer, endorsedBy, since, held, returns, acceptedAt, acceptance } = state;
    const { author } = await this.repository.readCommit(commit);
    const { name, email, time } = author;
    const isTold = this.#parts.memory.isTold(state);
    return {
      ...{ source: this.id, commit, tree, author: { name, email }, time, basis, held, returns, isTold },
      reach: await this.#parts.admission.reach(),
      ...(signer === undefined ? {} : { signer }),
      ...(endorsedBy === undefined ? {} : { endorsedBy }),
      ...(since === undefined ? {} : { since }),
      ...(acceptedAt === LONG_AGO ? {} : { acceptedAt }),
      ...(acceptance?.by === undefined ? {} : { acceptedBy: acceptance.by }),
    };
  }

  /** What was used counts no more; the state that it let in was handed on. */
  async #spendUsed({ acceptance }: Remembered): Promise<void> {
    if (acceptance !== undefined) await spendAcceptance(this.#parts.stateDirectory, this.id, acceptance);
  }

  /** While the head is accepted as it is nobody needs these; later they would let the branch be rewound to them. */
  async #spendIdle({ commit, held }: Remembered, { acceptances }: Standard): Promise<void> {
    if (held.length > 0) return;
    for (const word of acceptances) {
      if ((await lastBefore(this.repository, commit, [word])) === undefined) continue;
      await spendAcceptance(this.#parts.stateDirectory, this.id, word);
    }
  }
}
