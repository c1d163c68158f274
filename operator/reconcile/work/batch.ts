import { setImmediate } from 'node:timers/promises';
import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord, OutcomeRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import type { SecretKeys } from '../../../core/keys/key-directory.ts';
import { concurrently } from '../../concurrency/concurrently.ts';
import { type Key, keyOf, namesOf } from '../../project/namespaced-name.ts';
import type { Projector, Wanted } from '../../project/projector.ts';
import type { Publisher } from '../../publish/publisher.ts';
import { namespaceProblem, type ReachableNamespaces } from '../namespaces.ts';
import { isSamePlace, NO_ORIGIN, type Version } from '../state/claim.ts';
import type { Good, State } from '../state/state.ts';
import type { Watched } from '../state/watched.ts';
import type { Board } from '../status/board.ts';
import { Mirrors } from './mirrors.ts';
import { Openers } from './openers.ts';
import { failureRecord, type Intent, intendToProject, type Outcome, project, pruneRecord } from './projection.ts';
import type { Item } from './queue.ts';
import { type Chosen, Selection } from './selection.ts';
import type { Settlement } from './settlement.ts';
import { unexpected } from './unexpected.ts';

export interface BatchParts {
  cluster: string;
  projectors: readonly Projector[];
  publisher?: Publisher;
  namespaces: ReachableNamespaces;
  secretKeys(): Promise<SecretKeys>;
  audit: AuditLog;
  state: State;
  board: Board;
  settlement: Settlement;
  watched: ReadonlyMap<string, Watched>;
  now(): Date;
  /** Ends work between secrets: what is left is taken up at the next start. */
  signal?: AbortSignal;
  /** The manifest that counts for this home is another one, or none. */
  changed(home: Key): void;
}

/** Projected at once: what takes time is waiting for an API server. */
const AT_ONCE = 16;
/** Manifests that are read before mirrors of them are begun. */
const PART = 64;

type Task = Item & Chosen;
type Ready = Task & { intent: Intent };

/**
 * Projects some secrets: the records of what is about to happen are on disk before the first of them is opened, and the records
 * of how it ended follow (docs/architecture.md, promise 2). A secret that fails keeps what is projected and does not hold back
 * the others (promise 1). What is projected already is neither opened nor recorded.
 */
export class Batch {
  readonly #parts: BatchParts;
  readonly #selection: Selection;
  readonly #openers: Openers;
  readonly #outcomes: OutcomeRecord[] = [];
  readonly #mirrors: Mirrors;
  /** What was thrown that we did not reckon with. */
  readonly mistakes: unknown[] = [];

  constructor(parts: BatchParts) {
    this.#parts = parts;
    this.#selection = new Selection(parts);
    this.#mirrors = new Mirrors(parts.publisher, parts.namespaces);
    this.#openers = new Openers(parts.cluster, parts.secretKeys);
  }

  /** How what was done ended, where the log could not take that. */
  get untold(): readonly AuditRecord[] {
    return this.#outcomes;
  }

  /** Throws `AUDIT_UNWRITABLE`, `STATE_UNWRITABLE`, and what reading the secret keys throws. */
  async run(items: readonly Item[]): Promise<void> {
    const { audit, state } = this.#parts;
    try {
      await this.#project(await this.#project(await this.#chooseAll(items)));
      await this.#mirrors.ended();
      this.mistakes.push(...this.#mirrors.mistakes);
      this.#tellUncarried();
      await audit.append(this.#outcomes);
      this.#outcomes.length = 0;
      await state.flush();
    } finally {
      await this.#mirrors.ended();
      await this.#openers.wipe();
    }
  }

  /** Has mirrors made of what is read while the rest is read. */
  async #chooseAll(items: readonly Item[]): Promise<Task[]> {
    const tasks: Task[] = [];
    for (let from = 0; from < items.length; from += PART) {
      const part: Task[] = [];
      for (const item of items.slice(from, from + PART)) {
        part.push(...(await this.#each(item.home, () => this.#choose(item))));
      }
      this.#mirrors.add(part);
      tasks.push(...part);
      // Reading is work for this thread alone: what the API server answered meanwhile has its turn.
      await setImmediate();
    }
    return tasks;
  }

  /** The newest manifest of a secret; where it cannot be, and something has to be put back, the last good one. */
  async #choose(item: Item): Promise<Task[]> {
    const newest = this.#selection.newest(item.home);
    const problem = this.#placeProblem(item.home, newest) ?? (newest ? undefined : this.#selection.problem(item.home));
    if (problem !== undefined) this.#fail(item.home, problem);
    if (newest === undefined) return this.#lastGood(item, undefined, problem);
    if (problem !== undefined) return [];
    try {
      return [{ ...item, ...(await this.#selection.read(item.home, newest)) }];
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.#fail(item.home, error);
      return this.#lastGood(item, newest, error);
    }
  }

  async #lastGood(item: Item, failed: Version | undefined, instead: CofferError | undefined): Promise<Task[]> {
    const good = item.reason === 'restore' ? this.#selection.lastGood(item.home, failed) : undefined;
    if (good === undefined) return [];
    try {
      const chosen = await this.#selection.read(item.home, good);
      return [{ ...item, ...chosen, ...(instead === undefined ? {} : { instead }) }];
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      if (instead === undefined) this.#fail(item.home, error);
      return [];
    }
  }

  /** Why a secret of one namespace cannot be anywhere. */
  #placeProblem(home: Key, version: Version | undefined): CofferError | undefined {
    const reachesFurther = this.#parts.settlement.claimOf(home)?.namespaces !== undefined;
    if (version === undefined || reachesFurther) return undefined;
    return namespaceProblem(this.#parts.namespaces, namesOf(home).namespace);
  }

  /** A secret without its mirror is projected all the same, and is in trouble. */
  #tellUncarried(): void {
    const { board } = this.#parts;
    for (const [home, error] of this.#mirrors.errors) {
      if (!board.failures().has(home)) board.failed(home, error, this.#newestCommit(home));
    }
  }

  /** Returns the last good versions of those that failed only when they were opened. */
  async #project(tasks: readonly Task[]): Promise<Task[]> {
    const ready: Ready[] = [];
    for (const task of tasks) ready.push(...(await this.#each(task.home, () => this.#makeReady(task))));
    const due = await this.#prepare(ready.filter((task) => !this.#takeCurrent(task)));
    if (due.length > 0) await this.#parts.audit.append(due.map(({ intent }) => intent.record));
    const again: Task[] = [];
    const { signal } = this.#parts;
    await concurrently(due, AT_ONCE, async (task) => {
      if (signal?.aborted === true) {
        this.#outcomes.push(failureRecord(task.intent.record, ending()));
        return;
      }
      const outcome = await project(task.intent);
      this.#outcomes.push(...outcome.records);
      if ('mistake' in outcome) this.mistakes.push(outcome.mistake);
      this.#finish(task, outcome);
      if (outcome.error === undefined || task.instead !== undefined) return;
      again.push(...(await this.#each(task.home, () => this.#lastGood(task, task.version, outcome.error))));
    });
    return again;
  }

  async #makeReady(task: Task): Promise<Ready[]> {
    try {
      return [{ ...task, intent: await this.#intend(task) }];
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      if (task.instead !== undefined) return [];
      this.#fail(task.home, error);
      const good = await this.#lastGood(task, task.version, error);
      const ready = await Promise.all(good.map((one) => this.#makeReady(one)));
      return ready.flat();
    }
  }

  async #intend({ home, reason, manifest, version, source, instead }: Task): Promise<Intent> {
    const { cluster, projectors, state } = this.#parts;
    const isRetained = state.get(home)?.retained === true;
    const object = source.objectOf?.(version.path);
    return intendToProject({
      home,
      manifest,
      opener: await this.#openers.of(source),
      // Where a projector let go of what is retained, that is nobody's.
      projectors: projectors.filter(({ retain }) => !isRetained || retain === undefined),
      owns: (namespace) => state.get(keyOf(namespace, manifest.name))?.home === home,
      version,
      ...(object === undefined ? {} : { object }),
      action: reason === 'restore' ? 'heal' : 'project',
      ...{ cluster, accepted: instead === undefined ? source.accepted : undefined },
    });
  }

  /** Whether there is nothing to do: then it counts as done. */
  #takeCurrent(task: Ready): boolean {
    const { home, intent, manifest, version } = task;
    const good = this.#parts.state.get(home)?.good;
    if (manifest.projection === 'Volume' && !isSameGood(good, version)) return false;
    const isCurrent = intent.audiences.every(
      ({ projector, audience }) => projector.isCurrent?.(wanted(intent, audience)) === true,
    );
    if (!isCurrent) return false;
    const workloads = intent.audiences.flatMap(({ audience }) => audience.map(({ workload }) => workload));
    this.#finish(task, { workloads, records: [], hasChanged: false });
    return true;
  }

  /** Has the projectors make what has to be there before these secrets are. Returns those that can go on. */
  async #prepare(tasks: readonly Ready[]): Promise<readonly Ready[]> {
    for (const projector of this.#parts.projectors) {
      const batch = tasks.flatMap(({ intent }) =>
        intent.audiences
          .filter((candidate) => candidate.projector === projector)
          .map(({ audience }) => wanted(intent, audience)),
      );
      try {
        if (batch.length > 0) await projector.prepare?.(batch);
      } catch (error) {
        if (!(error instanceof CofferError)) throw error;
        for (const { home, instead } of tasks) this.#fail(home, instead ?? error);
        return [];
      }
    }
    return tasks;
  }

  #finish({ home, version, text, instead, intent }: Ready, { workloads, error, hasChanged }: Outcome): void {
    const { board, state, now } = this.#parts;
    const trouble = instead ?? error ?? this.#missingPlace(intent);
    const [keyId] = intent.record.keyIds ?? [];
    if (trouble === undefined) board.ready(home, workloads, keyId);
    else board.failed(home, trouble, this.#newestCommit(home), { workloads, keyId });
    const record = state.get(home);
    if (record === undefined || error !== undefined) return;
    if (!hasChanged && isSameGood(record.good, version)) return;
    if (record.good?.blob !== version.blob) this.#parts.changed(home);
    const { source, path, index, blob, commit, author, time } = version;
    const changedAt = hasChanged ? now().toISOString() : record.good?.changedAt;
    state.set(home, {
      ...record,
      good: {
        ...{ source, path, index, blob, commit, author, time },
        ...(text === undefined ? {} : { text }),
        ...(changedAt === undefined ? {} : { changedAt }),
      },
    });
  }

  /** A manifest of scope cluster goes on elsewhere when its own namespace is not there. */
  #missingPlace({ manifest }: Intent): CofferError | undefined {
    const problem = namespaceProblem(this.#parts.namespaces, manifest.namespace);
    return problem?.code === 'NAMESPACE_NOT_CONFIGURED' ? undefined : problem;
  }

  /** A mistake of ours with one secret is its failure, and the others go on. */
  async #each<Result>(home: Key, work: () => Promise<Result[]>): Promise<Result[]> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof CofferError) throw error;
      this.mistakes.push(error);
      this.#fail(home, unexpected(error));
      return [];
    }
  }

  #fail(home: Key, error: CofferError): void {
    this.#parts.board.failed(home, error, this.#newestCommit(home));
    this.#outcomes.push(this.#refusal(home, error));
  }

  /** No intent precedes it, so that it says itself whose manifest it is. */
  #refusal(home: Key, error: CofferError): OutcomeRecord {
    const { cluster, settlement, state, watched } = this.#parts;
    const claim = settlement.claimOf(home);
    const owner = state.get(home)?.owner;
    const last = claim === undefined ? owner && { ...NO_ORIGIN, ...owner } : { ...claim, ...claim.origin };
    const accepted = owner && watched.get(owner.source)?.accepted;
    const about = { ...pruneRecord(home, cluster, last, accepted), action: 'project' } as const;
    return { ...about, ...failureRecord(about, error) };
  }

  #newestCommit(home: Key): string | undefined {
    const owner = this.#parts.state.get(home)?.owner;
    return owner && this.#parts.watched.get(owner.source)?.commit;
  }
}

function wanted({ manifest, provenance }: Intent, audience: Wanted['audience']): Wanted {
  return { secret: manifest, audience, provenance };
}

function isSameGood(good: Good | undefined, version: Version): boolean {
  return (
    good !== undefined && good.blob === version.blob && good.commit === version.commit && isSamePlace(good, version)
  );
}

/** The lease is handed over only when nothing is written any more, and for that there is less time than a large batch takes. */
function ending(): CofferError {
  return new CofferError('RECONCILE_ENDING', 'the operator was told to end before it came to this secret', {
    advice: 'There is nothing to do: whoever goes on takes it up.',
    loop: 'retry',
  });
}
