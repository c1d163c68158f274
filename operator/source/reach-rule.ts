import type { Policy } from '../../core/trust/policy.ts';
import { covers } from '../../core/trust/reach-rules.ts';

/** Where the manifests of a source may write as of now: what was accepted earlier is bound by it too. */
export class ReachRule {
  /** The same for the same rule. */
  readonly key: string;
  readonly #namespaces: readonly string[] | undefined;
  readonly #policy: Pick<Policy, 'digest' | 'mayWriteTo'> | undefined;

  /** `namespaces`: of the source's configuration, names and globs; absent: all. */
  constructor(namespaces: readonly string[] | undefined, policy: Pick<Policy, 'digest' | 'mayWriteTo'> | undefined) {
    this.key = JSON.stringify([namespaces, policy?.digest]);
    this.#namespaces = namespaces;
    this.#policy = policy;
  }

  /** `namespace`: a name, or a glob that reaches as far. */
  allows(path: string, namespace: string): boolean {
    const isConfigured = this.#namespaces?.some((allowed) => covers(allowed, namespace)) ?? true;
    return isConfigured && (this.#policy?.mayWriteTo(path, namespace) ?? true);
  }
}
