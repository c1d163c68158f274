import type { Change } from '../git/trees/changes.ts';
import type { Aspects } from './aspects/aspects.ts';
import type { Outstanding } from './history/violation.ts';
import { type Holding, WEIGHTS } from './holding.ts';
import type { Policy } from './policy/policy.ts';
import { ReachRule } from './policy/reach-rule.ts';

export interface NamespaceLimits {
  policy?: Policy;
  /** Of the source; absent: everywhere. */
  namespaces?: readonly string[];
  /** What is held back by now. */
  outstanding: readonly Outstanding[];
}

/** Where manifests write to is judged as it stands at the head, whoever wrote it: no signature makes it right. */
export class NamespaceRule {
  readonly #aspectsAt: (path: string) => Promise<Aspects>;
  readonly #limits: NamespaceLimits;
  readonly #holding: Holding;

  /** `aspectsAt`: what a file says at the head. */
  constructor(aspectsAt: (path: string) => Promise<Aspects>, limits: NamespaceLimits, holding: Holding) {
    this.#aspectsAt = aspectsAt;
    this.#limits = limits;
    this.#holding = holding;
  }

  /** Of the files that changed since the accepted commit, and of those that were held back for this. Throws `TRUST_CHANGES_TOO_LARGE`. */
  async judge(net: readonly Change[], writerOf: (path: string, aspect: string) => string): Promise<Outstanding[]> {
    const { policy, namespaces } = this.#limits;
    if (namespaces === undefined && policy?.namespaces === undefined) return [];
    const rule = new ReachRule(namespaces, policy?.namespaces);
    const former = this.#limits.outstanding.filter(({ rule }) => rule === 'namespace');
    const changed = new Set(net.map(({ path }) => path));
    const found: Outstanding[] = [];
    for (const path of new Set([...changed, ...former.map((bad) => bad.path)])) {
      for (const [aspect, { reach, label }] of await this.#aspectsAt(path)) {
        const outside = reach?.filter((namespace) => !rule.allows(path, namespace)) ?? [];
        const before = former.find((bad) => bad.path === path && bad.aspect === aspect && !changed.has(path));
        const commit = before?.commit ?? writerOf(path, aspect);
        const bad = { path, aspect, label, rule: 'namespace', subjects: [], commit } as const;
        for (const detail of outside) {
          this.#holding.keep(WEIGHTS.fault);
          found.push({ ...bad, detail });
        }
      }
    }
    return found;
  }
}
