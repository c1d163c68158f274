import { covers, type NamespaceRules, ReachRules } from './reach-rules.ts';

/** Where the manifests of a source may write as of now: what was accepted earlier is bound by it too. */
export class ReachRule {
  /** The same for the same rule. */
  readonly key: string;
  readonly #namespaces: readonly string[] | undefined;
  readonly #ofPolicy: ReachRules;

  /** `namespaces`: of the source's configuration, names and globs; absent: all. */
  constructor(namespaces: readonly string[] | undefined, ofPolicy: NamespaceRules | undefined) {
    this.key = JSON.stringify([namespaces ?? null, ofPolicy ?? null]);
    this.#namespaces = namespaces;
    this.#ofPolicy = new ReachRules(ofPolicy);
  }

  /** `namespace`: a name, or a glob that reaches as far. */
  allows(path: string, namespace: string): boolean {
    const isConfigured = this.#namespaces?.some((allowed) => covers(allowed, namespace)) ?? true;
    return isConfigured && this.#ofPolicy.allow(path, namespace);
  }
}
