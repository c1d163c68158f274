import { SEPARATOR } from '../aspects/aspects.ts';
import type { Scope } from '../aspects/scope.ts';
import { eachProposal } from './proposals.ts';
import type { State } from './state.ts';
import { digestOf, isUndone, type Outstanding } from './violation.ts';

export interface Span {
  /** Trees of the accepted commit and of the head. */
  from: string;
  to: string;
  /** The last merge between them. */
  merge: string;
  /** What was held back at the accepted commit. */
  outstanding: readonly Outstanding[];
}

/**
 * What holds however a history of merges is made up, as branches can leave from long before the accepted commit, where things were
 * otherwise:
 *
 * - An aspect that is not as it was in the accepted commit was set since by somebody, or put back to what was taken last. One that
 *   nobody set came from before, through merges whose bases were chosen for it.
 * - What is held back at the accepted commit stays so until somebody sets it who may, or it is put back.
 * - To put something back means to what was taken last at the accepted commit, not to what a branch began with.
 */
export async function refuseRollBacks(scope: Scope, state: State, span: Span): Promise<void> {
  const { from, to, merge, outstanding } = span;
  const held = new Map(outstanding.map((bad) => [keyOf(bad), bad]));
  for await (const proposal of eachProposal(scope, await scope.changes(from, to))) {
    const { path, aspect, label, subjects } = proposal;
    if (state.get(path, aspect) !== undefined || isUndone(held.get(keyOf(proposal)), proposal.to?.digest ?? null))
      continue;
    state.set(path, aspect, { bad: { path, aspect, label, rule: 'rolled-back', subjects, commit: merge } });
  }
  for (const bad of outstanding) {
    if (state.get(bad.path, bad.aspect) !== undefined) continue;
    if (!isUndone(bad, digestOf(await textAt(scope, to, bad)))) state.set(bad.path, bad.aspect, { bad });
  }
  for (const bad of [...state.bad()]) {
    // Where somebody had set it who may, that is what to put back; what a merge brought has nothing.
    if (bad.before?.isSet !== false || bad.before.digest === '') continue;
    const known = held.get(keyOf(bad));
    const before =
      known === undefined ? { digest: digestOf(await textAt(scope, from, bad)), isSet: false } : known.before;
    const { before: _branchs, ...others } = bad;
    const mended: Outstanding = before === undefined ? others : { ...others, before };
    const isBack = isUndone(mended, digestOf(await textAt(scope, to, bad)));
    state.set(bad.path, bad.aspect, isBack ? undefined : { bad: mended });
  }
}

function keyOf({ path, aspect }: { path: string; aspect: string }): string {
  return `${path}${SEPARATOR}${aspect}`;
}

async function textAt(scope: Scope, tree: string, { path, aspect }: Outstanding): Promise<string | undefined> {
  await scope.turn();
  return (await scope.aspects(path, await scope.fileAt(tree, path))).get(aspect)?.text;
}
