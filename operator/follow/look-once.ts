import { CofferError } from '../../core/errors.ts';
import { troubleOf } from '../status/status.ts';
import { TroubleLog } from '../status/trouble-log.ts';
import type { Pipeline } from './follower.ts';

/** Looks at every source once and projects what it finds. Whether nothing is in trouble afterwards; not where the signal came. */
export async function lookOnce({ sources, reconciler, chores, log }: Pipeline, signal: AbortSignal): Promise<boolean> {
  await reconciler.start();
  for (const source of sources) {
    try {
      const state = await source.poll(signal);
      if (state === 'unchanged') await reconciler.retry(source.id);
      else await reconciler.accept(state);
      if (signal.aborted) return false;
      reconciler.polled(source.id, undefined);
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof CofferError)) throw error;
      if (source.isSettled) await reconciler.stay(source.id);
      reconciler.polled(source.id, error);
    }
  }
  for (const chore of chores) {
    await chore.look();
    await chore.settled?.();
  }
  const { problems, ...status } = reconciler.troubles();
  const all = [...chores.flatMap((chore) => chore.troubles().map(troubleOf)), ...problems];
  const troubles = new TroubleLog(log).report({ ...status, problems: all });
  log.info('looked once', { secrets: reconciler.secrets, troubles });
  return troubles === 0;
}
