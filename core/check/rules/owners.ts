import type { Manifest } from '../../format/manifest/manifest.ts';
import type { Keyring } from '../../keys/keyring.ts';
import { type Finding, finding } from '../finding.ts';

/** What a manifest asks operators for: for each recipient, a secret of this name in these namespaces. */
export interface Claim {
  file: string;
  line: number;
  /** Groups and what their members are, both. */
  recipients: ReadonlySet<string>;
  namespace: string;
  name: string;
  /** Names and globs; the own namespace is not repeated. */
  namespaces: readonly string[];
}

export function claimOf(manifest: Manifest, keyring: Keyring): Claim {
  const recipients = new Set<string>(manifest.recipients);
  for (const listed of manifest.recipients) {
    for (const member of keyring.recipients.get(listed)?.members ?? []) recipients.add(member);
  }
  const { file, line, namespace, name, namespaces } = manifest;
  return { file, line, recipients, namespace, name, namespaces };
}

/**
 * Claims that one operator could not serve both of (docs/format.md, "One owner"). The same name for different
 * recipients is how one secret has several environments, and no finding. Of two claims the later one in `claims` is
 * reported.
 */
export function ownerFindings(claims: readonly Claim[]): Finding[] {
  const earlier = new EarlierClaims();
  const found: Finding[] = [];
  for (const claim of claims) {
    for (const other of earlier.near(claim)) {
      const shared = [...claim.recipients].filter((recipient) => other.recipients.has(recipient));
      const namespace = shared.length === 0 ? undefined : sharedNamespace(claim, other);
      if (namespace === undefined) continue;
      found.push(
        finding(
          'CHECK_TWO_OWNERS',
          { file: claim.file, line: claim.line, namespace, name: claim.name, recipient: shared[0] ?? '' },
          {
            message: `${shared.join(', ')} would get ${namespace}/${claim.name} from ${other.file}:${other.line} too`,
            advice: 'Keep one of the two, give one another name, or let them have different recipients.',
          },
        ),
      );
    }
    earlier.add(claim);
  }
  return found;
}

/** One name in thousands of namespaces is usual, so only claims that may meet are compared. */
class EarlierClaims {
  /** By `namespace/name`, for each namespace that is named. */
  readonly #exact = new Map<string, Claim[]>();
  /** By name: those with a glob, which may reach any namespace, and all. */
  readonly #withGlobs = new Map<string, Claim[]>();
  readonly #all = new Map<string, Claim[]>();

  near(claim: Claim): Set<Claim> {
    if (hasGlob(claim)) return new Set(this.#all.get(claim.name));
    const exact = [claim.namespace, ...claim.namespaces].flatMap(
      (namespace) => this.#exact.get(`${namespace}/${claim.name}`) ?? [],
    );
    return new Set([...exact, ...(this.#withGlobs.get(claim.name) ?? [])]);
  }

  add(claim: Claim): void {
    for (const namespace of [claim.namespace, ...claim.namespaces]) {
      if (!isGlob(namespace)) append(this.#exact, `${namespace}/${claim.name}`, claim);
    }
    if (hasGlob(claim)) append(this.#withGlobs, claim.name, claim);
    append(this.#all, claim.name, claim);
  }
}

function append(lists: Map<string, Claim[]>, key: string, claim: Claim): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [claim]);
  else list.push(claim);
}

function hasGlob({ namespaces }: Claim): boolean {
  return namespaces.some(isGlob);
}

function sharedNamespace(a: Claim, b: Claim): string | undefined {
  const reachesA = [a.namespace, ...a.namespaces];
  const reachesB = [b.namespace, ...b.namespaces];
  for (const one of reachesA) {
    for (const other of reachesB) {
      if (one === other || globMatches(one, other) || globMatches(other, one)) return isGlob(one) ? other : one;
    }
  }
  return undefined;
}

function isGlob(namespace: string): boolean {
  return /[*?]/.test(namespace);
}

/** `*` any characters, `?` one. Two different globs are not compared: only the cluster knows what is in both. */
function globMatches(glob: string, namespace: string): boolean {
  if (!isGlob(glob) || isGlob(namespace)) return false;
  const pattern = glob.replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(namespace);
}
