import { pause } from '../concurrency/pause.ts';
import type { Projector } from '../project/projector.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';

/** Milliseconds to wait after the first report of a change: more usually follow, and all are looked at together. */
const GATHER = 20;
/**
 * Milliseconds between looks at what was disturbed: a workload that never stops changing files must neither keep the
 * operator busy nor fill the record.
 */
const REST = 400;

export interface HealOptions {
  reconciler: Reconciler;
  projectors: readonly Projector[];
  /** Milliseconds between looks at everything. */
  interval: number;
  signal: AbortSignal;
  /** After each look. */
  looked(error: unknown | undefined): void;
}

/** Puts back what others change: at once where the system tells of it, everywhere at an interval. Resolves at the signal. */
export async function heal({ reconciler, projectors, interval, signal, looked }: HealOptions): Promise<void> {
  let lookAt = performance.now() + interval;
  let restUntil = 0;
  while (!signal.aborted) {
    const where = await disturbance(projectors, lookAt - performance.now(), signal);
    if (where === 'disturbed') await pause(Math.max(GATHER, restUntil - performance.now()), signal);
    if (signal.aborted) return;
    if (where === 'all') lookAt = performance.now() + interval;
    restUntil = performance.now() + REST;
    try {
      await reconciler.heal(where);
      looked(undefined);
    } catch (error) {
      looked(error);
    }
  }
}

/** `disturbed` as soon as a projector hears of something, `all` when the time is over, whatever comes first. */
async function disturbance(
  projectors: readonly Projector[],
  milliseconds: number,
  signal: AbortSignal,
): Promise<'disturbed' | 'all'> {
  const heard = new AbortController();
  for (const projector of projectors) projector.onDisturbed(() => heard.abort());
  const isOver = await pause(Math.max(0, milliseconds), AbortSignal.any([heard.signal, signal]));
  return isOver ? 'all' : 'disturbed';
}
