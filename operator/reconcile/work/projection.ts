import { randomUUID } from 'node:crypto';
import type { AuditAction, AuditRecord } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { openingKeys, openManifest, refusePlaintext } from '../../../core/opening/open-manifest.ts';
import type { Opener } from '../../../core/opening/opener.ts';
import type { AppliedWorkload, Audience, Projector, Provenance } from '../../project/projector.ts';
import { type Key, namesOf, type Origin } from '../state/claim.ts';

/** A manifest that is to be projected, with what has to be known before it is opened. */
export interface Intent {
  home: Key;
  manifest: Manifest;
  opener: Opener;
  audiences: readonly { projector: Projector; audience: readonly Audience[] }[];
  entries: ReadonlySet<string>;
  record: AuditRecord;
  provenance: Provenance;
}

export interface Outcome {
  workloads: string[];
  records: AuditRecord[];
  /** The first thing that kept it from being projected as a whole. */
  error?: CofferError;
}

export interface IntentOptions {
  home: Key;
  manifest: Manifest;
  opener: Opener;
  projectors: readonly Projector[];
  /** Whether the manifest has the name in this namespace. */
  owns(namespace: string): boolean;
  origin: Origin;
  source: string;
  action: AuditAction;
  cluster: string;
}

/**
 * What projecting a manifest would do, for the record on disk that precedes it. Nothing is opened. Throws what the manifest
 * itself shows to be wrong: plaintext, no stanza for us, an unknown key.
 */
export function intendToProject(options: IntentOptions): Intent {
  const { home, manifest, opener, origin } = options;
  refusePlaintext(manifest);
  const audiences = options.projectors.map((projector) => ({
    projector,
    audience: projector.audience(manifest).filter(({ workload }) => options.owns(namesOf(workload).namespace)),
  }));
  const entries = new Set(audiences.flatMap(({ audience }) => audience.flatMap((reader) => [...reader.entries])));
  const keyIds = new Set(openingKeys(manifest, opener, entries).map(({ kid }) => kid));
  const record: AuditRecord = {
    event: 'secret.intent',
    action: options.action,
    operation: randomUUID(),
    cluster: options.cluster,
    namespace: manifest.namespace,
    name: manifest.name,
    workloads: audiences.flatMap(({ audience }) => audience.map(({ workload }) => workload)),
    entries: [...entries].sort(),
    keyIds: [...keyIds],
    source: options.source,
    commit: origin.commit,
    author: origin.author,
    committed: new Date(origin.time * 1000).toISOString(),
    path: manifest.file,
  };
  const provenance = { source: options.source, path: manifest.file, index: manifest.index };
  return { home, manifest, opener, audiences, entries, record, provenance };
}

/** Opens a manifest whose intent is on disk, projects it, and wipes what it opened. Does not throw for what is wrong with it. */
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
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    return { workloads: [], records: [failureRecord(record, error)], error };
  }
  return outcomeOf(record, results);
}

export function pruneRecord(home: Key, cluster: string): AuditRecord {
  const names = namesOf(home);
  return { event: 'secret.intent', action: 'prune', operation: randomUUID(), cluster, ...names };
}

/** Takes a secret away, its intent being on disk. */
export async function prune(home: Key, record: AuditRecord, projectors: readonly Projector[]): Promise<Outcome> {
  const { namespace, name } = namesOf(home);
  const results: AppliedWorkload[] = [];
  try {
    for (const projector of projectors) results.push(...(await projector.prune(namespace, name)));
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    return { workloads: [], records: [failureRecord(record, error)], error };
  }
  return outcomeOf(record, results);
}

export function failureRecord(intent: AuditRecord, error: CofferError): AuditRecord {
  return {
    ...outcomeRecord(intent),
    outcome: error.loop === 'retry' ? 'failed' : 'refused',
    code: error.code,
    message: error.message,
  };
}

function outcomeOf(record: AuditRecord, results: readonly AppliedWorkload[]): Outcome {
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
    ...(first === undefined ? {} : { error: first.error.at({ workload: first.workload }) }),
  };
}

function outcomeRecord({ action, operation, cluster, namespace, name }: AuditRecord): AuditRecord {
  return {
    event: 'secret.outcome',
    ...(action === undefined ? {} : { action }),
    ...(operation === undefined ? {} : { operation }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
