import ignore from 'ignore';
import type { Subject, TrustPolicy } from '../../../schemas/trust-policy.ts';
import type { Signer } from '../../signatures/signer.ts';

type Grant = NonNullable<TrustPolicy['spec']['grants']>[number];

/** Who may change what in which place: the `grants` of a policy. A change needs one that has its signer, path and subject. */
export class Grants {
  readonly #rows: readonly { grant: Grant; hasPath: (path: string) => boolean }[] | undefined;

  /** `undefined`: every signer may all. An empty list: nobody may anything. */
  constructor(grants: readonly Grant[] | undefined) {
    this.#rows = grants?.map((grant) => ({ grant, hasPath: pathMatcher(grant.paths) }));
  }

  allow(signer: Signer, path: string, subject: Subject): boolean {
    if (this.#rows === undefined) return true;
    return this.#rows.some(
      ({ grant, hasPath }) =>
        grant.may.includes(subject) &&
        grant.signers.some((pattern) => signer.names.some((name) => matchesName(pattern, name))) &&
        hasPath(path),
    );
  }

  /** The signers, as grants name them, to whom all of these are granted, each once; `['*']` where every signer may all. */
  holders(...wanted: readonly (readonly [path: string, subject: Subject])[]): readonly string[] {
    if (this.#rows === undefined) return ['*'];
    const rows = this.#rows;
    const lists = wanted.map(([path, subject]) =>
      rows
        .filter(({ grant, hasPath }) => grant.may.includes(subject) && hasPath(path))
        .flatMap(({ grant }) => grant.signers),
    );
    const isIn = (name: string, list: readonly string[]) =>
      list.some((pattern) => pattern === name || matchesName(pattern, name));
    return [...new Set(lists.flat())].filter((name) => lists.every((list) => isIn(name, list)));
  }
}

/**
 * Whether a path from the root of the repository is matched by one of these globs, as in gitignore; absent: every path is.
 * Case counts, unlike in git on some systems: `Team-A/` is another folder than `team-a/`, and whoever may change one must not
 * thereby have the other.
 */
export function pathMatcher(globs: readonly string[] | undefined): (path: string) => boolean {
  if (globs === undefined) return () => true;
  const matcher = ignore({ ignorecase: false }).add([...globs]);
  return (path) => matcher.ignores(path);
}

/** `*` stands for any number of characters; everything else is meant as it is written. */
function matchesName(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  // The earliest place of each part in the middle leaves the most for those after it.
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
