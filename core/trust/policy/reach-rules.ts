import type { TrustPolicy } from '../../../schemas/trust-policy.ts';
import { pathMatcher } from './grants.ts';

export type NamespaceRules = readonly NonNullable<TrustPolicy['spec']['namespaces']>[number][];

/** Which namespaces the manifests under a path may write to: the `namespaces` of a policy. */
export class ReachRules {
  readonly #rules: readonly { namespaces: readonly string[]; hasPath: (path: string) => boolean }[] | undefined;

  /** `undefined`: all. */
  constructor(rules: NamespaceRules | undefined) {
    this.#rules = rules?.map(({ path, namespaces }) => ({ namespaces, hasPath: pathMatcher([path]) }));
  }

  /** The first rule that has the path counts; where none does, nothing is allowed. */
  allow(path: string, namespace: string): boolean {
    if (this.#rules === undefined) return true;
    const rule = this.#rules.find(({ hasPath }) => hasPath(path));
    return rule?.namespaces.some((glob) => covers(glob, namespace)) === true;
  }
}

/**
 * Whether all that `wanted` stands for (a namespace, or a glob of a manifest's `namespaces`) is also what `allowed` stands for.
 * In both `*` is any number of characters and `?` is one. `wanted` is read as text, in which an allowed `*` may stand for its
 * wildcards too; an allowed `?` is one character and so never a `*`. Some pairs that do cover each other (`a**` and `a*`) are
 * refused: a policy has to say them in the same way.
 */
export function covers(allowed: string, wanted: string): boolean {
  let row = [true, ...Array.from(wanted, () => false)];
  for (const token of allowed) {
    const next = [token === '*' && row[0] === true];
    for (let at = 1; at <= wanted.length; at++) {
      const character = wanted[at - 1];
      const isOne = row[at - 1] === true && (token === '?' ? character !== '*' : token === character);
      next[at] = token === '*' ? next[at - 1] === true || row[at] === true : isOne;
    }
    row = next;
  }
  return row[wanted.length] === true;
}
