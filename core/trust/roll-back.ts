import { SEPARATOR } from './aspects.ts';
import { proposalsOf } from './proposals.ts';
import type { Scope } from './scope.ts';
import type { State } from './state.ts';
import { isUndone, type Outstanding } from './violation.ts';

/**
 * What holds however a history of merges is made up: an aspect that is not as it was in the accepted commit was set since by
 * somebody, or put back to what it was before somebody changed it who must not. One that nobody set came from before, through
 * merges whose bases were chosen for it. What is held back at the accepted commit stays so in the same way: on a branch that left
 * from between it and what was wrong, that is how things are, and going back there is no way out.
 */
export async function rolledBack(
  scope: Scope,
  state: State,
  { from, to, merge, outstanding }: { from: string; to: string; merge: string; outstanding: readonly Outstanding[] },
): Promise<void> {
  const held = new Map(outstanding.map((bad) => [`${bad.path}${SEPARATOR}${bad.aspect}`, bad]));
  for (const proposal of await proposalsOf(scope, await scope.changes(from, to))) {
    const { path, aspect, label, subjects } = proposal;
    if (state.get(path, aspect) !== undefined || isUndone(held.get(`${path}${SEPARATOR}${aspect}`), proposal.to?.text))
      continue;
    state.set(path, aspect, { bad: { path, aspect, label, rule: 'rolled-back', subjects, commit: merge } });
  }
  for (const bad of outstanding) {
    const { path, aspect } = bad;
    const text = (await scope.aspects(path, await scope.fileAt(to, path))).get(aspect)?.text;
    const now = state.get(path, aspect);
    if (now === undefined && !isUndone(bad, text)) state.set(path, aspect, { bad });
    // It is as it was taken last, and nobody who may had set it otherwise since then.
    if (now?.bad?.before?.isSet === false && isUndone(bad, text)) state.set(path, aspect, undefined);
  }
}
