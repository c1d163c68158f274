import { CofferError } from '../../core/errors.ts';
import type { Chore } from '../chores/chore.ts';
import { allOrNone } from '../concurrency/all-or-none.ts';
import { pause } from '../concurrency/pause.ts';
import type { OperatorSettings } from '../config/settings.ts';
import type { Log } from '../process/log.ts';
import { releaseMemory } from '../process/release-memory.ts';
import type { Projector } from '../project/projector.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Front } from '../serve/front.ts';
import { Poll } from '../source/poll.ts';
import type { Accepted, Source } from '../source/source.ts';
import { type Status, type Trouble, troubleOf } from '../status/status.ts';
import { TroubleLog } from '../status/trouble-log.ts';
import { Freshness } from './freshness.ts';
import { heal } from './heal.ts';

export interface Pipeline {
  settings: OperatorSettings;
  sources: readonly Source[];
  projectors: readonly Projector[];
  reconciler: Reconciler;
  chores: readonly Chore[];
  /** What stands in the way of the whole cluster, and is logged by those who know it. */
  sharedTroubles: () => readonly Trouble[];
  log: Log;
}

/** Milliseconds between looks at what is to be tried again, and at the chores, where no source is polled. */
const CHORES = 60_000;
/** Milliseconds after each at least: wakes must not flood the cluster. */
const GAP = 1000;

/** Brings back the last good state, then follows the sources and heals. */
export class Follower {
  readonly #pipeline: Pipeline;
  readonly #front: Front;
  readonly #troubles: TroubleLog;
  /** Ids of the sources of which a state was projected. */
  readonly #projected = new Set<string>();
  /** Ids of the sources that were looked at in this run, with what they held done. */
  readonly #upToDate = new Set<string>();
  readonly #freshness: Freshness;
  #isBroughtBack = false;
  /** Aborted when the process is told to look now. */
  #woken = new AbortController();

  constructor(pipeline: Pipeline, front: Front) {
    this.#pipeline = pipeline;
    this.#front = front;
    this.#troubles = new TroubleLog(pipeline.log);
    const { sources, settings } = pipeline;
    this.#freshness = new Freshness({
      sources: sources.map(({ id }, at) => ({ id, git: settings.sources[at]?.git ?? {} })),
      stateDirectory: settings.stateDirectory,
    });
    front.status = () => this.#status();
    front.health.isProjected = () => this.isProjected();
  }

  /** Whether a state of every source was projected. */
  isProjected(): boolean {
    return this.#isBroughtBack && this.#projected.size === this.#pipeline.sources.length;
  }

  /** Whether what is projected is of every source's state in this run: what an earlier one left may be older than the cluster. */
  isUpToDate(): boolean {
    return this.#isBroughtBack && this.#upToDate.size === this.#pipeline.sources.length;
  }

  async bringBack(signal: AbortSignal): Promise<void> {
    const { sources, reconciler, log } = this.#pipeline;
    await this.#freshness.recall();
    await reconciler.start();
    if (signal.aborted) return;
    for (const source of sources) if ((await source.accepted()) !== undefined) this.#projected.add(source.id);
    await this.#doChores();
    this.#isBroughtBack = true;
    this.#report();
    log.info('brought back the last good state', { secrets: reconciler.secrets });
    await releaseMemory();
  }

  /** Until the signal. `onWake` calls its listener when the process is told to look now. */
  async follow(signal: AbortSignal, onWake: (wake: () => void) => void): Promise<void> {
    const { settings, sources, reconciler } = this.#pipeline;
    await allOrNone(signal, (ends) => {
      const polls = sources.map((source, index) => this.#poll(source, settings.sources[index]?.interval ?? 0, ends));
      this.#front.wake = (wanted) => {
        for (const [index, poll] of polls.entries())
          if (wanted === undefined || sources[index]?.id === wanted) poll.wake();
        if (wanted === undefined) this.#woken.abort();
      };
      onWake(() => this.#front.wake());
      return [
        ...polls.map((poll) => poll.run()),
        this.#heal(ends),
        reconciler.run(ends, (error) => this.#looked(error)),
        ...(sources.length === 0 ? [this.#lookWithoutPolls(ends)] : []),
      ];
    });
  }

  #status(): Status {
    const { reconciler, sharedTroubles, chores } = this.#pipeline;
    const { problems, sources, ...status } = reconciler.status();
    const aged = sources.map((source) => this.#freshness.of(source));
    const all = [...sharedTroubles(), ...this.#choreTroubles(), ...problems];
    return Object.assign({ ...status, sources: aged, problems: all }, ...chores.map((chore) => chore.status?.() ?? {}));
  }

  #poll(source: Source, interval: number, signal: AbortSignal): Poll {
    const { reconciler, log } = this.#pipeline;
    const ended = async (result: 'succeeded' | 'failed', error?: unknown) => {
      reconciler.polled(source.id, error);
      await this.#freshness.looked(source.id, result);
      this.#front.metrics.polled(source.id, result);
      this.#front.health.beat();
      await this.#doChores();
      this.#report();
    };
    return new Poll(source, {
      interval,
      signal,
      accepted: (state) => this.#accept(state, signal).then(() => ended('succeeded')),
      unchanged: async () => {
        await reconciler.retry(source.id);
        // What was accepted is done now, also where that failed when it came.
        this.#isDone(source.id);
        await ended('succeeded');
      },
      failed: async (error) => {
        if (!(error instanceof CofferError)) log.thrown(error);
        // A head that is refused leaves what was accepted: it is true now, and pods may have it.
        if (source.isSettled && (await reconciler.stay(source.id))) this.#isDone(source.id);
        await ended('failed', error);
      },
    });
  }

  #heal(signal: AbortSignal): Promise<void> {
    const { settings, projectors, reconciler } = this.#pipeline;
    return heal({ reconciler, projectors, interval: settings.heal, signal, looked: (error) => this.#looked(error) });
  }

  #looked(error: unknown): void {
    if (error !== undefined) this.#pipeline.log.thrown(error);
    this.#front.health.beat();
    this.#report();
  }

  async #accept(state: Accepted, signal: AbortSignal): Promise<void> {
    const { reconciler, log } = this.#pipeline;
    const { source, commit } = state;
    log.info('accepted a commit', { source, commit });
    const began = performance.now();
    await reconciler.accept(state);
    if (signal.aborted) return;
    const milliseconds = Math.round(performance.now() - began);
    this.#isDone(source);
    this.#front.metrics.projected(source, milliseconds / 1000);
    log.info('projected a commit', { source, commit, milliseconds });
    await releaseMemory();
  }

  #isDone(source: string): void {
    this.#projected.add(source);
    this.#upToDate.add(source);
  }

  async #doChores(): Promise<void> {
    for (const chore of this.#pipeline.chores) await chore.look();
  }

  /** What a poll that finds nothing new does, where objects in the cluster are the only source. */
  async #lookWithoutPolls(signal: AbortSignal): Promise<void> {
    while (await pause(GAP, signal)) {
      await pause(CHORES, AbortSignal.any([signal, this.#woken.signal]));
      if (signal.aborted) return;
      this.#woken = new AbortController();
      try {
        await this.#pipeline.reconciler.retry();
        await this.#doChores();
        this.#looked(undefined);
      } catch (error) {
        this.#looked(error);
      }
    }
  }

  #choreTroubles(): Trouble[] {
    return this.#pipeline.chores.flatMap((chore) => chore.troubles().map(troubleOf));
  }

  #report(): void {
    const { problems, sources, ...status } = this.#pipeline.reconciler.troubles();
    const aged = sources.map((source) => this.#freshness.of(source));
    this.#troubles.report({ ...status, sources: aged, problems: [...this.#choreTroubles(), ...problems] });
  }
}
