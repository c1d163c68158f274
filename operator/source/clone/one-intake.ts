import { SerialQueue } from '../../../core/serial-queue.ts';
import type { TimeLimit } from '../time-limit.ts';

/** Of this process, whatever the source. */
const intakes = new SerialQueue();

export interface InTurnOptions {
  /** Ends the wait. */
  signal?: AbortSignal;
  /** Stands still during the wait. */
  limit?: TimeLimit;
}

/**
 * Does what takes much memory one after the other: packs that use their limits to the full come from several hostile servers at
 * once, and each may take some hundred MiB. Each has its turn in the order in which they came, and no longer than its own limit lets
 * it; the wait counts against nobody's, or a server that is slow to unpack would make fetches from others fail. Rejects with the
 * reason of the signal, also while others have their turn.
 */
export async function inTurn<T>(work: () => Promise<T>, { signal, limit }: InTurnOptions = {}): Promise<T> {
  signal?.throwIfAborted();
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const abort = () => begun.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  void intakes.take(() => {
    begun.resolve();
    return ended.promise;
  });
  try {
    await (limit?.standStill(begun.promise) ?? begun.promise);
    return await work();
  } finally {
    signal?.removeEventListener('abort', abort);
    ended.resolve();
  }
}
