import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { CofferError } from '../core/errors.ts';
import type { Background } from './concurrency/background.ts';
import { settled } from './concurrency/settled.ts';
import type { OperatorSettings, SecretsSettings } from './config/settings.ts';
import type { KubeClient } from './kubernetes/client.ts';
import { EventRecorder } from './kubernetes/events.ts';
import { Leadership } from './kubernetes/leadership.ts';
import { type Namespaces, openNamespaces } from './kubernetes/namespaces.ts';
import { persist } from './kubernetes/persist.ts';
import { isAmong } from './kubernetes/watch-namespaces.ts';
import type { Closing } from './process/closing.ts';
import type { Log } from './process/log.ts';
import type { Projector } from './project/projector.ts';
import { openReaders } from './project/readers/readers.ts';
import { openRestarts } from './project/restart/restarts.ts';
import { openDigestKey } from './project/secrets/digest-key.ts';
import { openSecretsProjector } from './project/secrets/open-secrets-projector.ts';
import { EncryptedSecrets } from './publish/encrypted-secrets.ts';
import { openPublisher, type Publisher } from './publish/publisher.ts';
import type { Health } from './serve/health.ts';
import type { Metrics } from './serve/metrics.ts';
import { SharedTroubles } from './status/shared-troubles.ts';

/** The way to the cluster, and whether this process may write there. */
export interface Connection {
  client: KubeClient;
  leadership: Leadership;
  troubles: SharedTroubles;
}

/** What an operator in Kubernetes has beside the pipeline; on a plain host there is none of it. */
export interface Cluster extends Connection {
  events: EventRecorder;
  /** Of those that the configuration names. */
  namespaces: Namespaces;
  objects: EncryptedSecrets;
  publisher: Publisher;
}

export interface Surroundings {
  background: Background;
  health: Health;
  metrics: Metrics;
  log: Log;
}

/** Asks the server nothing yet. Throws CofferError `KUBERNETES_CONFIG`. */
export async function connectCluster(
  { kubernetes }: OperatorSettings,
  { background, health, metrics, log }: Surroundings,
  closing: Closing,
): Promise<Connection | undefined> {
  if (kubernetes === undefined) return undefined;
  // undici and what goes with it are not loaded on a plain host.
  const { connect } = await import('./kubernetes/connect.ts');
  const fence = { assertHeld: () => {} };
  const connected = await connect(kubernetes, {
    fence: () => fence.assertHeld(),
    answered: (verb, resource, status) => {
      health.beat();
      metrics.answered(verb, resource.plural, status);
    },
  });
  const client = closing.add(connected, (opened) => opened.close());
  const pod = process.env.POD_NAME;
  const identity = `${pod ?? hostname()}_${randomUUID()}`;
  const options = { ...kubernetes.leaderElection, identity, ...(pod === undefined ? {} : { pod }) };
  const leadership = closing.add(new Leadership(client, options), (lease) => lease.release());
  fence.assertHeld = () => leadership.assertHeld();
  const troubles = new SharedTroubles(log);
  troubles.add(() => leadership.trouble);
  background.run((ends) => troubles.report(ends));
  return { client, leadership, troubles };
}

/** Waits until this process leads: `true`; or until the end: `false`. On a plain host the lock of the state directory decides. */
export async function lead(
  connection: Connection | undefined,
  { background, health, metrics, log }: Surroundings,
): Promise<boolean> {
  if (connection !== undefined) {
    const { leadership } = connection;
    const standBy = () => {
      if (health.phase === 'standby') return;
      health.phase = 'standby';
      log.info('standing by');
    };
    if (!(await leadership.acquire(background.signal, standBy))) return false;
    leadership.lost.addEventListener('abort', () => background.fail(leadership.lost.reason));
    log.info('leading');
  }
  health.phase = 'leading';
  metrics.leads(() => connection?.leadership.isHeld ?? true);
  return true;
}

/** Watches what is in the cluster. Resolves when all was seen once; rejects with the reason of the end. */
export async function watchCluster(
  connection: Connection | undefined,
  { cluster, secrets, volumes, objects: carried }: OperatorSettings,
  background: Background,
  closing: Closing,
): Promise<Cluster | undefined> {
  if (connection === undefined) return undefined;
  const { client, troubles } = connection;
  const { signal } = background;
  const reached = [...(secrets?.namespaces ?? []), ...(volumes?.namespaces ?? [])];
  const seen = [...reached, ...(carried?.namespaces ?? [])];
  const events = closing.add(new EventRecorder(client), (recorder) => recorder.close());
  const namespaces = openNamespaces(client, seen);
  const objects = new EncryptedSecrets(client, seen);
  const isConfigured = (namespace: string) => isAmong(reached, namespace);
  const now = () => new Date();
  const publisher = openPublisher({ client, objects, events, cluster, isConfigured, now, signal });
  closing.add(publisher, (opened) => opened.close());
  troubles.add(() => publisher.trouble);
  troubles.add(() => namespaces.trouble);
  background.run((ends) => namespaces.run(ends));
  background.run((ends) => objects.run(ends));
  await settled(Promise.all([namespaces.synced, objects.synced]), signal);
  return { ...connection, events, namespaces, objects, publisher };
}

/** The projector of Kubernetes Secrets, with who may read them and who is rolled. Resolves when all Secrets were seen once. */
export async function openSecrets(
  { client, namespaces, events, troubles }: Cluster,
  settings: SecretsSettings,
  { background, metrics }: Pick<Surroundings, 'background' | 'metrics'>,
): Promise<Projector> {
  const { signal } = background;
  let trouble: CofferError | undefined;
  troubles.add(() => trouble);
  const digestKey = await persist(
    () => openDigestKey(client),
    signal,
    (failure) => {
      trouble = failure;
    },
  );
  const common = { client, namespaces: settings.namespaces, events };
  const readers = settings.readers ? openReaders(common) : undefined;
  const restarts = settings.restart ? openRestarts({ ...common, digestKeyId: digestKey.id }) : undefined;
  if (readers !== undefined) {
    troubles.add(() => readers.trouble);
    metrics.offends(() => readers.offenders().length);
    background.run((ends) => readers.run(ends));
  }
  if (restarts !== undefined) background.run((ends) => restarts.run(ends));
  return openSecretsProjector(settings, {
    ...{ client, namespaces, digestKey, events, signal },
    ...(readers === undefined ? {} : { readers }),
    ...(restarts === undefined ? {} : { restarts }),
  });
}
