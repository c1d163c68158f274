import { join } from 'node:path';
import type { AuditLog } from '../core/audit/log.ts';
import { CofferError } from '../core/errors.ts';
import { readPinsFile } from '../core/keys/pins.ts';
import type { OperatorRecord } from './audit/open-record.ts';
import { type Cluster, type Connection, openSecrets } from './cluster.ts';
import type { Background } from './concurrency/background.ts';
import type { OperatorSettings } from './config/settings.ts';
import { openWebhooks } from './hooks/webhooks.ts';
import type { KeyStore } from './keys/key-store.ts';
import { openKeyStore } from './keys/open-key-store.ts';
import type { KubeClient } from './kubernetes/client.ts';
import type { Namespaces } from './kubernetes/namespaces.ts';
import { persist } from './kubernetes/persist.ts';
import { isAmong } from './kubernetes/watch-namespaces.ts';
import type { Closing } from './process/closing.ts';
import type { Log } from './process/log.ts';
import { openDirectoryProjector } from './project/directory/open-directory-projector.ts';
import { namesOf } from './project/namespaced-name.ts';
import type { Projector } from './project/projector.ts';
import type { ReachableNamespaces } from './reconcile/namespaces.ts';
import type { CarriedObjects } from './reconcile/objects/carried-objects.ts';
import { openReconciler, type Reconciler } from './reconcile/reconciler.ts';
import type { Front } from './serve/front.ts';
import type { Metrics } from './serve/metrics.ts';
import { removeUnused } from './source/clone/unused-clones.ts';
import { idOf, openGitSource } from './source/open-git-source.ts';
import type { Source } from './source/source.ts';
import { stateFault } from './source/state-fault.ts';
import { FloorMap } from './trust/floor-map.ts';
import { FloorFile, Floors } from './trust/floors.ts';
import { openVolumes } from './volumes/volumes.ts';

/** How each room of the pipeline is opened from the settings; `closing` learns how to close it. All throw CofferError. */

/** Before anything is opened: an operator without usable keys or pins can do nothing right. That there are no keys yet is no fault. */
export async function openKeys(
  { keys: place, pinsFile, cluster }: OperatorSettings,
  client: KubeClient | undefined,
  log: Log,
  closing: Closing,
): Promise<KeyStore> {
  await readPinsFile(pinsFile);
  const store = closing.add(openKeyStore({ place, cluster, client, log }), (opened) => opened.close());
  try {
    const { problems, wipe } = await store.read();
    wipe();
    const [problem] = problems;
    if (problem !== undefined) throw problem;
  } catch (error) {
    // The place may answer later, and nothing is lost until then: enrolment says what stands in the way.
    if (!(error instanceof CofferError) || error.loop !== 'retry') throw error;
  }
  return store;
}

/** What was accepted by earlier runs and other replicas. Waits for the cluster; throws `TRUST_MEMORY_DAMAGED` and the signal's reason. */
export async function openFloors(
  connection: Connection | undefined,
  settings: OperatorSettings,
  signal: AbortSignal,
): Promise<Floors> {
  const file = new FloorFile(settings.stateDirectory);
  if (connection === undefined) return Floors.open([file]);
  const followed = new Set(sourceIds(settings));
  const stores = [file, new FloorMap(connection.client, followed)];
  let trouble: CofferError | undefined;
  connection.troubles.add(() => trouble);
  return persist(
    () => Floors.open(stores, followed.size),
    signal,
    (failure) => {
      trouble = failure;
    },
  );
}

export async function openSources(
  { sources, stateDirectory }: OperatorSettings,
  floors: Floors,
  log: Log,
  closing: Closing,
): Promise<Source[]> {
  const opened: Source[] = [];
  for (const { git } of sources) {
    opened.push(closing.add(await openGitSource(git, stateDirectory, { floors }), (source) => source.close()));
  }
  await tellUnused(stateDirectory, new Set(opened.map(({ id }) => id)), log);
  return opened;
}

/** What keeps a clone from being removed, a full disk say, keeps nobody from starting. */
async function tellUnused(stateDirectory: string, used: ReadonlySet<string>, log: Log): Promise<void> {
  const what = 'the clone of a source that is not configured';
  try {
    for (const { source, isRemoved } of await removeUnused(join(stateDirectory, 'sources'), used, new Date())) {
      log.info(isRemoved ? `removed ${what}` : `${what} goes after a week without it`, { source });
    }
  } catch (error) {
    log.thrown(stateFault(error, stateDirectory));
  }
}

/** For whom a person's word is left. Throws CofferError `ACCEPT_NO_SOURCE`. */
export function sourceIds({ sources }: OperatorSettings): string[] {
  if (sources.length > 0) return sources.map(({ git }) => idOf(git));
  throw new CofferError(
    'ACCEPT_NO_SOURCE',
    'The configuration has no git source, so that there is nothing to accept.',
    {
      advice: 'Give the file that the operator runs with.',
      exit: 2,
    },
  );
}

export async function openProjectors(
  { directories, secrets, cluster: name, stateDirectory }: OperatorSettings,
  environment: NodeJS.ProcessEnv,
  { cluster, background, metrics }: { cluster: Cluster | undefined; background: Background; metrics: Metrics },
  closing: Closing,
): Promise<Projector[]> {
  const opened: Projector[] = [];
  const add = (projector: Projector) => opened.push(closing.add(projector, (toClose) => toClose.close()));
  for (const projection of directories) {
    add(await openDirectoryProjector(projection, { cluster: name, stateDirectory, environment }));
  }
  if (secrets !== undefined && cluster !== undefined) add(await openSecrets(cluster, secrets, { background, metrics }));
  return opened;
}

export interface Neighbours {
  sources: readonly Source[];
  projectors: readonly Projector[];
  /** The log of `record`. */
  audit: AuditLog;
  record: OperatorRecord;
  keys: KeyStore;
  cluster: Cluster | undefined;
  /** Ends the reconciler's work. */
  signal: AbortSignal;
}

export async function openReconcilerBetween(
  { sources, projectors, audit, keys, cluster, signal }: Neighbours,
  settings: OperatorSettings,
  closing: Closing,
): Promise<Reconciler> {
  const { stateDirectory, maxShare } = settings;
  const reconciler = await openReconciler({
    ...{ cluster: settings.cluster, stateDirectory, sources, projectors, audit, maxShare, signal },
    namespaces: reachable(settings, cluster?.namespaces),
    secretKeys: () => keys.read(),
    ...(cluster === undefined ? {} : { publisher: cluster.publisher, objects: carriedObjects(settings, cluster) }),
  });
  return closing.add(reconciler, (opened) => opened.close());
}

/** Of a plain host's workloads, whose namespaces are names and nothing else, and those of the cluster. */
function reachable({ directories }: OperatorSettings, inCluster: Namespaces | undefined): ReachableNamespaces {
  const workloads = directories.flatMap((directory) => directory.workloads);
  const named = new Set(workloads.map(({ name }) => namesOf(name).namespace));
  if (inCluster === undefined) return { names: () => named };
  return {
    names: () => named.union(inCluster.names()),
    isTerminating: (name) => inCluster.isTerminating(name) && !named.has(name),
    isConfigured: (name) => inCluster.isConfigured(name) || named.has(name),
    onChange: (listener) => inCluster.onChange(listener),
  };
}

/** Where no source of objects is configured, those of others only learn what git says of them. */
function carriedObjects({ objects }: OperatorSettings, { objects: store }: Cluster): CarriedObjects {
  return {
    store,
    isCarried: (namespace) => isAmong(objects?.namespaces ?? [], namespace),
    isUnverifiedAllowed: (namespace) => isAmong(objects?.unverified ?? [], namespace),
  };
}

/** The server of CSI volumes and of emergency reads, where that is configured. */
export async function openVolumesServer(
  { audit, cluster }: Neighbours,
  { volumes, cluster: name }: OperatorSettings,
  { reader, hasLooked, metrics, log }: { reader: Reconciler; hasLooked: () => boolean; metrics: Metrics; log: Log },
  closing: Closing,
): Promise<void> {
  if (volumes === undefined || cluster === undefined) return;
  const { client, leadership } = cluster;
  const isUpToDate = () => leadership.isHeld && hasLooked();
  const { mounted } = metrics;
  const server = await openVolumes(volumes, { client, reader, audit, cluster: name, isUpToDate, mounted, log });
  closing.add(server, (opened) => opened.close());
  log.info('listening for volumes', { address: server.address });
}

/** What forges send after a push, where that is configured: whoever does not lead fetches nothing, and does not listen. */
export async function openWebhooksServer(
  { webhooks, sources: configured }: OperatorSettings,
  sources: readonly Source[],
  front: Front,
  log: Log,
  closing: Closing,
): Promise<void> {
  if (webhooks === undefined) return;
  const hooked = sources.flatMap(({ id }, index) => {
    const webhook = configured[index]?.git.webhook;
    return webhook === undefined ? [] : [{ id, ...webhook }];
  });
  const wake = (source: string) => front.wake(source);
  const counted = front.metrics.hooked;
  const server = await openWebhooks(webhooks, { sources: hooked, wake, counted, log });
  closing.add(server, (opened) => opened.close());
  log.info('listening for webhooks', { address: server.address });
}
