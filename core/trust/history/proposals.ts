import type { Change } from '../../git/trees/changes.ts';
import { type Aspect, type Aspects, SEPARATOR } from '../aspects/aspects.ts';
import type { Scope } from '../aspects/scope.ts';
import type { Proposal } from './violation.ts';

/** What a commit changes against its one parent: every aspect whose text differs. */
export async function proposalsOf(scope: Scope, changes: readonly Change[]): Promise<Proposal[]> {
  const found: Proposal[] = [];
  for (const { path, before, after } of changes) {
    const [from, to] = [await scope.aspects(path, before), await scope.aspects(path, after)];
    for (const aspect of new Set([...from.keys(), ...to.keys()])) {
      if (from.get(aspect)?.text === to.get(aspect)?.text) continue;
      found.push({ ...proposal(path, aspect, from, to), undo: { text: from.get(aspect)?.text } });
    }
  }
  return found;
}

/** That an aspect becomes what it is in `to`. Where its document goes, the right to remove documents is what counts. */
export function proposal(path: string, aspect: string, from: Aspects, to: Aspects): Proposal {
  const [was, is] = [from.get(aspect), to.get(aspect)];
  const isOfDocument = aspect !== '';
  const presence = isOfDocument ? `${aspect.slice(0, aspect.indexOf(SEPARATOR))}${SEPARATOR}` : '';
  const goes = isOfDocument && from.has(presence) && !to.has(presence);
  const comes = isOfDocument && to.has(presence) && !from.has(presence);
  const subjects = is?.subjects ?? (goes ? (['removal'] as const) : (was?.subjects ?? []));
  const isUsual = comes && (aspect === presence || isAsUsual(is));
  return { path, aspect, document: presence, from: was, to: is, subjects, label: labelOf(was, is), isUsual };
}

function isAsUsual(aspect: Aspect | undefined): boolean {
  return aspect?.usual !== undefined && aspect.usual === aspect.text;
}

function labelOf(was: Aspect | undefined, is: Aspect | undefined): string {
  return is?.label ?? was?.label ?? 'the file';
}
