import { proposalsOf } from './proposals.ts';
import type { Scope } from './scope.ts';
import type { State } from './state.ts';

/**
 * What holds however a history of merges is made up: an aspect that is not as it was in the accepted commit was set since by
 * somebody. One that nobody set came from before, through merges whose bases were chosen for it.
 */
export async function rolledBack(
  scope: Scope,
  state: State,
  { from, to, merge }: { from: string; to: string; merge: string },
): Promise<void> {
  for (const { path, aspect, label, subjects } of await proposalsOf(scope, await scope.changes(from, to))) {
    if (state.get(path, aspect) !== undefined) continue;
    state.set(path, aspect, {
      bad: { path, aspect, label, rule: 'rolled-back', subjects, commit: merge },
    });
  }
}
