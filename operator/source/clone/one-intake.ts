import { SerialQueue } from '../../../core/serial-queue.ts';

/** Of this process, whatever the source. */
const intakes = new SerialQueue();

/**
 * Does what takes much memory one after the other: packs that use their limits to the full come from several hostile servers at
 * once, and each may take some hundred MiB. Rejects with the reason of the signal, also while others have their turn.
 */
export async function inTurn<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
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
    await begun.promise;
    return await work();
  } finally {
    signal?.removeEventListener('abort', abort);
    ended.resolve();
  }
}
