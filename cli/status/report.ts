import { type Keyring, recipientOfKey } from '../../core/keys/keyring.ts';
import { activeKey } from '../../core/keys/recipient.ts';
import type { Observed, ObservedSecret, Problem } from './observed.ts';
import { blobsAt, isFor, type WantedSecret } from './wanted.ts';

/**
 * `current`: the cluster projects what the commit says. `behind`: it projects an earlier one still. `ahead`: it projects a commit that
 * this clone does not have. `missing`: it does not know of it yet.
 */
export type SecretState = 'current' | 'behind' | 'ahead' | 'missing' | 'pending' | 'failed' | 'held';

export interface SecretReport extends Omit<ObservedSecret, 'state'> {
  state: SecretState;
}

export interface ClusterReport {
  place: string;
  cluster: string | null;
  /** The active key of the cluster, by the keyring. */
  key: { id: string; created: string; days: number } | null;
  /** Where the commit is, of those namespaces that it should reach. */
  namespaces: { namespace: string; current: number; secrets: number }[];
  secrets: SecretReport[];
  problems: Problem[];
  /** Whether all of the commit is there. */
  isDone: boolean;
  hasFailed: boolean;
  /** Failed in a way that waiting does not mend. */
  isStuck: boolean;
}

export interface ReportOptions {
  root: string;
  keyring: Keyring;
  wanted: readonly WantedSecret[];
  now: Date;
}

/** How far a cluster is with what a commit holds. */
export async function reportOf(observed: Observed, options: ReportOptions): Promise<ClusterReport> {
  const { root, keyring, now } = options;
  const cluster = clusterOf(observed, keyring);
  const wanted = options.wanted.filter((secret) => cluster === undefined || isFor(secret, cluster, keyring));
  const secrets = await compare(root, wanted, observed.secrets, cluster !== undefined);
  // It has nothing yet, and says not whose it is: what of the commit it is to have nobody knows.
  const isAnybodys = cluster === undefined && secrets.length === 0 && wanted.length > 0;
  const active = cluster === undefined ? undefined : keyring.recipients.get(cluster);
  const key = active && activeKey(active);
  return {
    place: observed.place,
    cluster: cluster ?? null,
    key: key === undefined ? null : { id: key.kid, created: key.created, days: daysBetween(key.created, now) },
    namespaces: byNamespace(secrets),
    secrets,
    problems: observed.problems,
    isDone: !isAnybodys && secrets.every(({ state }) => state === 'current'),
    hasFailed: observed.problems.length > 0 || secrets.some(({ state }) => state === 'failed'),
    isStuck: observed.problems.length > 0 || secrets.some(({ state, isRetried }) => state === 'failed' && !isRetried),
  };
}

/** As it says itself, else the owner of a key that it opens with. */
function clusterOf({ cluster, secrets }: Observed, keyring: Keyring): string | undefined {
  if (cluster !== undefined) return cluster;
  for (const { keyId } of secrets) {
    const owner = keyId === undefined ? undefined : recipientOfKey(keyring, keyId);
    if (owner?.type === 'cluster') return owner.name;
  }
  return undefined;
}

async function compare(
  root: string,
  wanted: readonly WantedSecret[],
  observed: readonly ObservedSecret[],
  isKnown: boolean,
): Promise<SecretReport[]> {
  const seen = new Map(observed.map((secret) => [titleOf(secret), secret]));
  const pairs = wanted.flatMap((want) => {
    const has = seen.get(titleOf(want));
    return has === undefined && !isKnown ? [] : [{ want, has }];
  });
  const places = pairs.map(({ want, has }) => ({ commit: has?.commit ?? '', path: has?.path ?? want.path }));
  const blobs = await blobsAt(root, places);
  const reports = pairs.map(({ want, has }, index): SecretReport => {
    const { namespace, name, path, blob } = want;
    if (has === undefined) return { namespace, name, path, state: 'missing', namespaces: [] };
    return { ...has, path, state: stateOf(has, blobs[index], blob) };
  });
  const names = new Set(wanted.map(titleOf));
  // What the commit does not have any more, and waits for a person.
  const held = observed.filter((secret) => secret.state === 'held' && !names.has(titleOf(secret)));
  return [...reports, ...held.map((secret): SecretReport => ({ ...secret, state: 'held' }))].toSorted(byTitle);
}

function stateOf({ state, commit }: ObservedSecret, there: string | undefined, wanted: string): SecretState {
  if (state !== 'ready') return state;
  if (there === wanted) return 'current';
  return there === undefined && commit !== undefined ? 'ahead' : 'behind';
}

function byNamespace(secrets: readonly SecretReport[]): ClusterReport['namespaces'] {
  const groups = Map.groupBy(secrets, ({ namespace }) => namespace);
  return [...groups].map(([namespace, own]) => ({
    namespace,
    current: own.filter(({ state }) => state === 'current').length,
    secrets: own.length,
  }));
}

function titleOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

function byTitle(one: SecretReport, other: SecretReport): number {
  return titleOf(one) < titleOf(other) ? -1 : 1;
}

function daysBetween(created: string, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(created)) / 86_400_000));
}
