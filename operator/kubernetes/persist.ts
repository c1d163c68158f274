import { BackOff } from '../concurrency/back-off.ts';
import { pause } from '../concurrency/pause.ts';
import { KubernetesError } from './kubernetes-error.ts';

/** Milliseconds. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Does at start what cannot be done without: again and again while the cluster is the reason that it fails. `failed` is told why,
 * and `undefined` at the end. Throws other errors, and the reason of the signal.
 */
export async function persist<Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
  failed: (error: KubernetesError | undefined) => void,
): Promise<Result> {
  const waits = new BackOff(FIRST_WAIT, LONGEST_WAIT);
  for (;;) {
    signal.throwIfAborted();
    try {
      const result = await work();
      failed(undefined);
      return result;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.loop !== 'retry') throw error;
      failed(error);
      await pause(Math.max(waits.next(), error.retryAfter), signal);
    }
  }
}
