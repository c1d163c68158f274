import { CofferError } from '../core/errors.ts';
import type { OperatorSettings } from './config/settings.ts';
import { heal } from './heal.ts';
import type { Log } from './log.ts';
import type { Projector } from './project/projector.ts';
import type { Reconciler } from './reconcile/reconciler.ts';
import { serve } from './serve/http.ts';
import { createMetrics, type Metrics } from './serve/metrics.ts';
import { Poll } from './source/poll.ts';
import type { Accepted, Source } from './source/source.ts';
import { TroubleLog } from './trouble-log.ts';

export interface Pipeline {
  settings: OperatorSettings;
  sources: readonly Source[];
  projectors: readonly Projector[];
  reconciler: Reconciler;
  log: Log;
}

export interface FollowOptions {
  version: string;
  /** Ends it. */
  signal: AbortSignal;
  /** Calls `wake` when the process is told to look now. */
  onWake(wake: () => void): void;
}

/** Brings back the last good state, then follows the sources, heals and serves, until the signal. */
export async function follow(pipeline: Pipeline, { version, signal, onWake }: FollowOptions): Promise<void> {
  const { settings, sources, reconciler, log } = pipeline;
  const metrics = createMetrics(version, () => reconciler.status());
  const follower = new Follower(pipeline, metrics);
  const polls: Poll[] = [];
  const wake = () => {
    for (const poll of polls) poll.wake();
  };
  const server = await serve({
    ...settings.listen,
    isReady: () => follower.isReady(),
    status: () => reconciler.status(),
    metrics: () => metrics.render(),
    wake,
    failed: (error) => log.thrown(error),
  });
  try {
    log.info('listening', { address: server.address });
    await follower.bringBack(signal);
    const failure = new AbortController();
    const ends = AbortSignal.any([signal, failure.signal]);
    polls.push(...sources.map((source, index) => follower.poll(source, settings.sources[index]?.interval ?? 0, ends)));
    onWake(wake);
    await allOrNone([...polls.map((poll) => poll.run()), follower.heal(ends)], failure);
  } finally {
    await server.close();
  }
}

/** What is done with what the loops find: reconcile, and tell. */
class Follower {
  readonly #pipeline: Pipeline;
  readonly #metrics: Metrics;
  readonly #troubles: TroubleLog;
  /** Ids of the sources of which a state was projected. */
  readonly #projected = new Set<string>();

  constructor(pipeline: Pipeline, metrics: Metrics) {
    this.#pipeline = pipeline;
    this.#metrics = metrics;
    this.#troubles = new TroubleLog(pipeline.log);
  }

  isReady(): boolean {
    return this.#projected.size === this.#pipeline.sources.length;
  }

  async bringBack(signal: AbortSignal): Promise<void> {
    const { sources, reconciler, log } = this.#pipeline;
    await reconciler.start();
    if (signal.aborted) return;
    for (const source of sources) if ((await source.accepted()) !== undefined) this.#projected.add(source.id);
    this.#report();
    log.info('brought back the last good state', { secrets: reconciler.secrets });
  }

  poll(source: Source, interval: number, signal: AbortSignal): Poll {
    const { reconciler, log } = this.#pipeline;
    const ended = (result: 'succeeded' | 'failed', error?: unknown) => {
      reconciler.polled(source.id, error);
      this.#metrics.polled(source.id, result);
      this.#report();
    };
    return new Poll(source, {
      interval,
      signal,
      accepted: (state) => this.#accept(state, signal).then(() => ended('succeeded')),
      unchanged: async () => {
        await reconciler.retry(source.id);
        // What was accepted is done now, also where that failed when it came.
        this.#projected.add(source.id);
        ended('succeeded');
      },
      failed: (error) => {
        if (!(error instanceof CofferError)) log.thrown(error);
        ended('failed', error);
      },
    });
  }

  heal(signal: AbortSignal): Promise<void> {
    const { settings, projectors, reconciler, log } = this.#pipeline;
    const looked = (error: unknown) => {
      if (error !== undefined) log.thrown(error);
      this.#report();
    };
    return heal({ reconciler, projectors, interval: settings.heal, signal, looked });
  }

  async #accept(state: Accepted, signal: AbortSignal): Promise<void> {
    const { reconciler, log } = this.#pipeline;
    const { source, commit } = state;
    log.info('accepted a commit', { source, commit });
    const began = performance.now();
    await reconciler.accept(state);
    if (signal.aborted) return;
    const milliseconds = Math.round(performance.now() - began);
    this.#projected.add(source);
    this.#metrics.projected(source, milliseconds / 1000);
    log.info('projected a commit', { source, commit, milliseconds });
  }

  #report(): void {
    this.#troubles.report(this.#pipeline.reconciler.troubles());
  }
}

/** One loop that fails ends the others; then its error is thrown. */
async function allOrNone(loops: Promise<void>[], failure: AbortController): Promise<void> {
  const settled = await Promise.allSettled(
    loops.map((loop) =>
      loop.catch((error: unknown) => {
        failure.abort();
        throw error;
      }),
    ),
  );
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
}
