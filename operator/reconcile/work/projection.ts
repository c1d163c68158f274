import { randomUUID } from 'node:crypto';
import type { AuditAction, AuditFields, IntentRecord, OutcomeRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import {
  type DataKeyOpening,
  openingKeys,
  openManifest,
  refusePlaintext,
} from '../../../core/opening/open-manifest.ts';
import type { Opener } from '../../../core/opening/opener.ts';
import { type Key, namesOf } from '../../project/namespaced-name.ts';
import type { AppliedWorkload, Audience, Projector, Provenance } from '../../project/projector.ts';
import type { Accepted } from '../../source/source.ts';
import type { Origin, Place, Version } from '../state/claim.ts';
import { unexpected } from './unexpected.ts';

/** A manifest that is to be projected, with what has to be known before it is opened. */
export interface Intent {
  home: Key;
  manifest: Manifest;
  opener: Opener;
  audiences: readonly { projector: Projector; audience: readonly Audience[] }[];
  entries: ReadonlySet<string>;
  record: IntentRecord;
  provenance: Provenance;
}

export interface Outcome {
  workloads: string[];
  records: OutcomeRecord[];
  /** Whether anything that workloads see became another. */
  hasChanged: boolean;
  /** The first thing that kept it from being projected as a whole. */
  error?: CofferError;
  /** What we did not reckon with; `error` says so to people. */
  mistake?: unknown;
}

export interface IntentOptions {
  home: Key;
  manifest: Manifest;
  opener: Opener;
  projectors: readonly Projector[];
  /** Whether the manifest has the name in this namespace. */
  owns(namespace: string): boolean;
  version: Version;
  /** That carries it, if somebody else than the operator does. */
  object?: Provenance['object'];
  action: AuditAction;
  cluster: string;
  /** The state of the source that has it; absent: an earlier one had it. */
  accepted?: Accepted | undefined;
}

/**
 * What projecting a manifest would do, for the record on disk that precedes it. Nothing is opened. Throws what the manifest
 * itself shows to be wrong: plaintext, no stanza for us, an unknown key.
 */
export function intendToProject(options: IntentOptions): Intent {
  const { home, manifest, opener, version } = options;
  refusePlaintext(manifest);
  const audiences = options.projectors.map((projector) => ({
    projector,
    audience: projector.audience(manifest).filter(({ workload }) => options.owns(namesOf(workload).namespace)),
  }));
  const entries = new Set(audiences.flatMap(({ audience }) => audience.flatMap((reader) => [...reader.entries])));
  // What only volumes give is opened when a pod asks; that it can be is seen when it arrives.
  if (manifest.projection === 'Volume') for (const entry of entriesOf(manifest)) entries.add(entry);
  const openings = openingKeys(manifest, opener, entries);
  const record: IntentRecord = {
    event: 'secret.intent',
    action: options.action,
    operation: randomUUID(),
    cluster: options.cluster,
    namespace: manifest.namespace,
    name: manifest.name,
    workloads: audiences.flatMap(({ audience }) => audience.map(({ workload }) => workload)),
    entries: [...entries].sort(),
    ...keysOf(openings),
    source: version.source,
    ...commitOf(version),
    ...acceptedOf(options.accepted),
    path: manifest.file,
  };
  const { source, path, index, commit } = version;
  const provenance: Provenance = {
    source,
    path,
    index,
    ...(commit === '' ? {} : { commit }),
    ...(options.object === undefined ? {} : { object: options.object }),
  };
  return { home, manifest, opener, audiences, entries, record, provenance };
}

function entriesOf({ entries, template }: Manifest): string[] {
  return [...entries.keys(), ...template.data.keys()];
}

/** Which keys open it, and what they open. */
export function keysOf(openings: readonly DataKeyOpening[]): Required<Pick<AuditFields, 'keyIds' | 'dataKeyIds'>> {
  const keyIds = [...new Set(openings.map(({ kid }) => kid))];
  return { keyIds, dataKeyIds: openings.map(({ dataKeyId }) => dataKeyId).sort() };
}

/** Who vouches for what is done now. */
export function acceptedOf(accepted: Accepted | undefined): Pick<AuditFields, 'accepted' | 'signer'> {
  if (accepted === undefined) return {};
  const signer = accepted.signer ?? accepted.endorsedBy?.signer;
  return {
    accepted: accepted.commit,
    ...(signer === undefined ? {} : { signer: { names: [...signer.names], key: signer.key } }),
  };
}

/** Of what no commit brought there is nothing to tell. */
export function commitOf({ commit, author, time }: Origin): Pick<AuditFields, 'commit' | 'author' | 'committed'> {
  return commit === '' ? {} : { commit, author, committed: new Date(time * 1000).toISOString() };
}

/** Opens a manifest whose intent is on disk, projects it, and wipes what it opened. Does not throw: the others go on. */
export async function project({ manifest, opener, audiences, entries, record, provenance }: Intent): Promise<Outcome> {
  const results: AppliedWorkload[] = [];
  try {
    // A manifest for nobody here is not opened; whoever had it loses it.
    const opened = entries.size === 0 ? undefined : openManifest(manifest, opener, entries);
    try {
      for (const { projector, audience } of audiences) {
        results.push(...(await projector.apply(manifest, audience, opened?.values ?? new Map(), provenance)));
      }
    } finally {
      opened?.wipe();
    }
  } catch (thrown) {
    return failed(record, thrown);
  }
  return outcomeOf(record, results);
}

/** `last`: what was projected; `accepted`: the state of its source, which has it no more. */
export function pruneRecord(home: Key, cluster: string, last?: Origin & Place, accepted?: Accepted): IntentRecord {
  const names = namesOf(home);
  return {
    ...{ event: 'secret.intent', action: 'prune', operation: randomUUID(), cluster, ...names },
    ...(last === undefined ? {} : { source: last.source, path: last.path, ...commitOf(last) }),
    ...acceptedOf(accepted),
  };
}

/** Takes a secret away, or lets go of it where it is to stay; its intent is on disk. Does not throw. */
export async function prune(
  home: Key,
  record: IntentRecord,
  projectors: readonly Projector[],
  how: 'prune' | 'retain' = 'prune',
): Promise<Outcome> {
  const { namespace, name } = namesOf(home);
  const results: AppliedWorkload[] = [];
  try {
    for (const projector of projectors) results.push(...((await projector[how]?.(namespace, name)) ?? []));
  } catch (thrown) {
    return failed(record, thrown);
  }
  const outcome = outcomeOf(record, results);
  if (how === 'prune') return outcome;
  return { ...outcome, records: outcome.records.map(asRetained) };
}

function asRetained(record: OutcomeRecord): OutcomeRecord {
  return record.outcome === 'written' ? { ...record, outcome: 'retained' } : record;
}

function failed(record: IntentRecord, thrown: unknown): Outcome {
  const error = thrown instanceof CofferError ? thrown : unexpected(thrown);
  const outcome = { workloads: [], records: [failureRecord(record, error)], hasChanged: false, error };
  return error === thrown ? outcome : { ...outcome, mistake: thrown };
}

export function failureRecord(intent: IntentRecord, error: CofferError): OutcomeRecord {
  return {
    ...outcomeRecord(intent),
    outcome: error.loop === 'retry' ? 'failed' : 'refused',
    code: error.code,
    message: error.message,
  };
}

function outcomeOf(record: IntentRecord, results: readonly AppliedWorkload[]): Outcome {
  const refused = results.flatMap(({ workload, error }) => (error === undefined ? [] : [{ workload, error }]));
  const done = results.filter(({ error }) => error === undefined);
  const groups = Map.groupBy(done, ({ outcome }) => outcome);
  const records = [...groups].map(([outcome, group]) => ({
    ...outcomeRecord(record),
    outcome,
    workloads: group.map(({ workload }) => workload),
  }));
  const failures = refused.map(({ workload, error }) => ({ ...failureRecord(record, error), workloads: [workload] }));
  const none = results.length === 0 ? [{ ...outcomeRecord(record), outcome: 'unchanged' as const }] : [];
  const [first] = refused;
  return {
    workloads: done.flatMap(({ workload, outcome }) => (outcome === 'removed' ? [] : [workload])),
    records: [...records, ...failures, ...none],
    hasChanged: done.some(({ outcome }) => outcome !== 'unchanged'),
    ...(first === undefined ? {} : { error: first.error.at({ workload: first.workload }) }),
  };
}

export function outcomeRecord({ action, operation, cluster, namespace, name }: IntentRecord): OutcomeRecord {
  return {
    event: 'secret.outcome',
    ...(action === undefined ? {} : { action }),
    ...(operation === undefined ? {} : { operation }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
