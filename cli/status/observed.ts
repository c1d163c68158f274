import type { ErrorData } from '../../core/errors.ts';

/** What a cluster's operator says of its secrets, wherever it was asked. */
export interface Observed {
  /** For people: a context, or an address. */
  place: string;
  /** The recipient, if the cluster says it. */
  cluster?: string | undefined;
  /** Accepted commits of its git sources, if the operator itself was asked. */
  commits?: string[];
  secrets: ObservedSecret[];
  /** What concerns no one secret. */
  problems: Problem[];
}

export interface Problem {
  code: string;
  message: string;
  advice?: string;
  data?: ErrorData;
}

export interface ObservedSecret {
  namespace: string;
  name: string;
  state: 'ready' | 'failed' | 'held' | 'pending';
  /** Failed, and tried again without anybody's doing. */
  isRetried?: boolean;
  /** Why, where it is not ready: `STANZA_MISSING`, or a condition's reason. Where it is: how it stands to git, as `Behind`. */
  reason?: string;
  message?: string;
  /** The commit whose manifest is projected. */
  commit?: string;
  /** Of the manifest, from the root of the repository. */
  path?: string;
  /** Of the cluster's key that opened it. */
  keyId?: string;
  /** Where it is projected. */
  namespaces: string[];
}

/** As far as anything is read of it. */
export interface EncryptedSecretObject {
  metadata: { namespace: string; name: string; generation?: number };
  status?: {
    observedGeneration?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    commit?: string;
    path?: string;
    keyId?: string;
    namespaces?: string[];
  };
}

export function observedObject({ metadata, status = {} }: EncryptedSecretObject): ObservedSecret {
  const { namespace, name, generation } = metadata;
  const { conditions = [], observedGeneration, commit, path, keyId, namespaces = [] } = status;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const verified = conditions.find(({ type }) => type === 'Verified');
  const isSeen = ready !== undefined && (generation === undefined || observedGeneration === generation);
  const state =
    !isSeen || ready.status === 'Unknown' ? 'pending' : ready.status === 'True' ? 'ready' : stateOf(ready.reason);
  return {
    namespace,
    name,
    state,
    ...optional(whyOf(state === 'ready' ? notAsInGit(verified) : ready)),
    ...optional({ commit, path, keyId }),
    ...(conditions.some(({ type, status: is }) => type === 'Reconciling' && is === 'True') ? { isRetried: true } : {}),
    namespaces,
  };
}

function stateOf(reason: string | undefined): ObservedSecret['state'] {
  return reason === 'RemovalHeld' ? 'held' : 'failed';
}

/** What is projected may be another version than that of the newest commit (docs/argocd.md, `Verified`). */
function notAsInGit<Verified extends { reason?: string }>(verified: Verified | undefined): Verified | undefined {
  return verified?.reason === 'Vouched' ? undefined : verified;
}

function whyOf({ reason, message }: { reason?: string; message?: string } = {}) {
  return { reason, message };
}

/** What an operator answers under `/status`, as far as anything is read of it. */
export interface OperatorStatus {
  cluster?: string;
  sources?: { commit?: string; trouble?: Problem; problems?: Problem[] }[];
  problems?: Problem[];
  secrets?: {
    namespace: string;
    name: string;
    state: string;
    commit?: string;
    path?: string;
    keyId?: string;
    trouble?: Problem;
    isRetried?: boolean;
    verified?: { reason: string; message: string };
    workloads?: string[];
  }[];
}

export function observedStatus(place: string, status: OperatorStatus): Observed {
  const { cluster, sources = [], problems = [], secrets = [] } = status;
  return {
    place,
    ...optional({ cluster }),
    commits: sources.flatMap(({ commit }) => commit ?? []),
    secrets: secrets.map(({ namespace, name, state, commit, path, keyId, isRetried, workloads = [], ...secret }) => ({
      namespace,
      name,
      state: state === 'retained' ? 'ready' : (state as ObservedSecret['state']),
      ...optional(whyOf(reasonOf(secret.trouble) ?? (state === 'ready' ? notAsInGit(secret.verified) : undefined))),
      ...optional({ commit, path, keyId }),
      ...(isRetried === undefined ? {} : { isRetried }),
      namespaces: [...new Set(workloads.map((workload) => workload.split('/')[0] ?? ''))].toSorted(),
    })),
    problems: [
      ...problems,
      ...sources.flatMap((source) => [
        ...(source.trouble === undefined ? [] : [source.trouble]),
        ...(source.problems ?? []),
      ]),
    ],
  };
}

function reasonOf(trouble: Problem | undefined): { reason: string; message: string } | undefined {
  return trouble && { reason: trouble.code, message: `${trouble.message} ${trouble.advice ?? ''}`.trim() };
}

function optional<Fields extends Record<string, string | undefined>>(
  fields: Fields,
): { [Name in keyof Fields]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: string;
  };
}
