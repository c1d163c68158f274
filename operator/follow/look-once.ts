import { CofferError } from '../../core/errors.ts';
import { troubleOf } from '../status/status.ts';
import { TroubleLog } from '../status/trouble-log.ts';
import type { Pipeline } from './follower.ts';

/** What was done is on record, and one look need not be long enough for an identity to sign it. */
const LATER: ReadonlySet<string> = new Set(['AUDIT_UNSIGNED']);

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
  const others = chores.flatMap((chore) => chore.troubles().map(troubleOf)).filter(({ code }) => !LATER.has(code));
  const troubles = new TroubleLog(log).report({ ...status, problems: [...others, ...problems] });
  log.info('looked once', { secrets: reconciler.secrets, troubles });
  return troubles === 0;
}
