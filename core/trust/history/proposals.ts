import type { Change } from '../../git/trees/changes.ts';
import { ownText } from '../../own-text.ts';
import { type Aspect, type Aspects, SEPARATOR } from '../aspects/aspects.ts';
import type { Scope } from '../aspects/scope.ts';
import type { Holding } from '../holding.ts';
import { type Become, digestOf, type Proposal } from './violation.ts';

/** What a commit changes against its one parent: every aspect whose text differs. Throws `TRUST_CHANGES_TOO_LARGE`. */
export async function proposalsOf(scope: Scope, changes: readonly Change[], holding: Holding): Promise<Proposal[]> {
  const found: Proposal[] = [];
  for await (const one of eachProposal(scope, changes)) {
    hold(holding, one);
    found.push(one);
  }
  return found;
}

/** The same, of one file after the other. */
export async function* eachProposal(scope: Scope, changes: readonly Change[]): AsyncGenerator<Proposal> {
  for (const { path, before, after } of changes) {
    const [from, to] = [await scope.aspects(path, before), await scope.aspects(path, after)];
    for (const aspect of new Set([...from.keys(), ...to.keys()])) {
      if (from.get(aspect)?.text === to.get(aspect)?.text) continue;
      yield { ...proposal(path, aspect, from, to), undo: { digest: digestOf(from.get(aspect)?.text) } };
    }
  }
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
  const leaving = was?.entry === undefined ? undefined : was.text;
  const label = labelOf(was, is);
  return { path, aspect, document: presence, leaving, to: becomeOf(is), subjects, label, isUsual };
}

/** Counts what a proposal holds. Throws `TRUST_CHANGES_TOO_LARGE`. */
export function hold(holding: Holding, { path, aspect, label, leaving = '', to }: Proposal): void {
  // The name is also in the map of what was changed.
  const names = path.length + 2 * aspect.length + label.length;
  holding.change(names + leaving.length + (to?.entry?.text.length ?? 0));
}

function becomeOf(aspect: Aspect | undefined): Become | undefined {
  if (aspect === undefined) return undefined;
  const { text, entry, dataKeyId } = aspect;
  const kid = dataKeyId === undefined ? undefined : /^"([0-9a-f]{32}):/.exec(text)?.[1];
  return {
    digest: digestOf(text),
    ...(entry === undefined ? {} : { entry: { name: entry, text } }),
    ...(dataKeyId === undefined || kid === undefined ? {} : { stanza: { dataKeyId, kid: ownText(kid) } }),
  };
}

function isAsUsual(aspect: Aspect | undefined): boolean {
  return aspect?.usual !== undefined && aspect.usual === aspect.text;
}

function labelOf(was: Aspect | undefined, is: Aspect | undefined): string {
  return is?.label ?? was?.label ?? 'the file';
}
