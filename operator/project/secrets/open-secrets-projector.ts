import { Alarms } from '../../concurrency/alarms.ts';
import { Contention } from '../../concurrency/contention.ts';
import type { SecretsSettings } from '../../config/settings.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { EventRecorder } from '../../kubernetes/events.ts';
import type { Namespaces } from '../../kubernetes/namespaces.ts';
import { isAmong } from '../../kubernetes/watch-namespaces.ts';
import { Disturbances } from '../disturbances.ts';
import type { Projector } from '../projector.ts';
import type { Readers } from '../readers/readers.ts';
import type { Restarts } from '../restart/restarts.ts';
import type { DigestKey } from './digest-key.ts';
import { Digests } from './digests.ts';
import { Inventory } from './inventory.ts';
import { SecretLeaver } from './secret-leaver.ts';
import { SecretWatch } from './secret-watch.ts';
import { SecretWriter, type Tell } from './secret-writer.ts';
import { SecretsProjector } from './secrets-projector.ts';

export interface SecretsProjectorParts {
  client: KubeClient;
  namespaces: Namespaces;
  digestKey: DigestKey;
  /** Absent: not configured. Whoever opened them runs them. */
  readers?: Readers;
  restarts?: Restarts;
  /** Absent: nobody is told. */
  events?: EventRecorder;
  /** Milliseconds since the epoch; absent: the clock's. */
  now?: () => number;
  /** Ends the watches, as `close` does. */
  signal: AbortSignal;
}

/**
 * Projects into Kubernetes Secrets. Resolves when all that is there was seen; until then nothing is known to be current or owned.
 * Rejects when the signal comes before that.
 */
export async function openSecretsProjector(
  settings: SecretsSettings,
  { client, namespaces, digestKey, readers, restarts, events, now = Date.now, signal }: SecretsProjectorParts,
): Promise<Projector> {
  const digests = new Digests(digestKey);
  const inventory = new Inventory();
  const disturbances = new Disturbances();
  const alarms = new Alarms(now, (key) => disturbances.touch(key));
  const watch = new SecretWatch({
    client,
    namespaces: settings.namespaces,
    resync: settings.resync,
    digests,
    inventory,
    now,
    touched: (key) => disturbances.touch(key),
    holds: (namespace, name, entries) => restarts?.holds(namespace, name, entries),
  });
  const writer = new SecretWriter({ client, digests, inventory, now, tell: tellBy(events) });

  const closing = new AbortController();
  const ends = AbortSignal.any([signal, closing.signal]);
  const watching = watch.run(ends);
  await Promise.race([Promise.all([watch.synced, namespaces.synced, readers?.synced]), watching]);
  signal.throwIfAborted();
  const projector = new SecretsProjector({
    namespaces,
    isAllowed: (namespace) => isAmong(settings.namespaces, namespace),
    digests,
    inventory,
    watch,
    writer,
    leaver: new SecretLeaver({ client, digests, inventory }),
    disturbances,
    alarms,
    contention: new Contention(),
    readers,
    restarts,
    now,
    end: async () => {
      closing.abort();
      alarms.close();
      disturbances.close();
      await watching;
    },
  });
  await readers?.keepOnly(
    [...inventory.all()].map(([, { namespace, name }]) => ({ namespace, name })),
    (namespace) => watch.trouble(namespace) === undefined,
  );
  await restarts?.begin(ends);
  return projector;
}

function tellBy(events: EventRecorder | undefined): Tell {
  return ({ namespace = '', name, uid }, reason, note) =>
    events?.emit({
      regarding: { apiVersion: 'v1', kind: 'Secret', namespace, name, ...(uid === undefined ? {} : { uid }) },
      type: reason === 'SuspensionRefused' ? 'Warning' : 'Normal',
      reason,
      action: 'Project',
      note,
    });
}
