import { RecordChore } from './audit/record-chore.ts';
import type { Chore } from './chores/chore.ts';
import type { OperatorSettings } from './config/settings.ts';
import { Enrolment } from './enrol/enrol.ts';
import { Exposures } from './exposure/exposures.ts';
import type { Neighbours } from './pipeline.ts';
import type { Closing } from './process/closing.ts';
import type { Log } from './process/log.ts';
import { keyOf } from './project/namespaced-name.ts';
import { openPusher, type Pusher } from './push/pusher.ts';
import type { Reconciler } from './reconcile/reconciler.ts';
import { Requests } from './requests/fulfil.ts';
import { type Elsewhere, sealedElsewhere } from './rotate/keys/elsewhere.ts';
import { KeyRotation } from './rotate/keys/key-rotation.ts';
import { RotationStore } from './rotate/values/remembered/rotation-store.ts';
import { ValueRotation } from './rotate/values/value-rotation.ts';

export interface ChoreOptions {
  settings: OperatorSettings;
  log: Log;
  /** Has a source looked at soon. */
  wake: (source: string) => void;
  /** Knows what is projected. */
  reconciler: Reconciler;
}

/** Work beside the projection: keys, requests, and what turns over. Looked at after every poll. Throws CofferError `SOURCE_…`. */
export function openChores(
  { sources, audit, record, keys, cluster }: Neighbours,
  options: ChoreOptions,
  closing: Closing,
): Chore[] {
  const { settings, log, wake, reconciler } = options;
  const { cluster: name, stateDirectory, pinsFile } = settings;
  const common = { cluster: name, stateDirectory, pinsFile, store: keys, sources, client: cluster?.client, log };
  const mayWrite = cluster && (() => cluster.leadership.assertHeld());
  const pushers = openPushers({ sources, keys }, { ...options, mayWrite }, closing);
  const { grace } = settings.rotation;
  const changed = () => {
    for (const { id } of sources) wake(id);
  };
  const exposures = closing.add(new Exposures({ ...common, audit, changed }), (opened) => opened.close());
  const elsewhere = async (kid: string) => [
    ...(await sealedElsewhere(kid, elsewhereOf({ sources, cluster }, options))),
    ...exposures.hangingOn(kid),
  ];
  const keyRotation = closing.add(new KeyRotation({ ...common, pushers, audit, wake, grace, elsewhere }), (opened) =>
    opened.close(),
  );
  const valueRotation = closing.add(
    new ValueRotation({
      ...{ ...common, pushers, audit, wake, rotators: settings.rotation.rotators, mayWrite },
      projected: (namespace, name) => reconciler.projected(namespace, name),
      exposed: (namespace, name, entry, text) => exposures.exposed(namespace, name, entry, text),
    }),
    (opened) => opened.close(),
  );
  return [
    new RecordChore(record, sources, { cluster: name, stateDirectory }),
    new Enrolment({ ...common, audit }),
    new Requests({ ...common, audit }),
    exposures,
    keyRotation,
    valueRotation,
  ];
}

/** Where else than in the accepted states something may be sealed to a key of this cluster. */
function elsewhereOf(
  { sources, cluster }: Pick<Neighbours, 'sources' | 'cluster'>,
  { settings, reconciler }: ChoreOptions,
): Elsewhere {
  return {
    sources,
    rotations: () => new RotationStore(settings.stateDirectory, cluster?.client).all(),
    lastGood: () => reconciler.lastGood(),
    *objects() {
      const trouble = cluster?.objects.trouble();
      if (trouble !== undefined && trouble.code !== 'KUBERNETES_NO_KIND') throw trouble;
      for (const { namespace, name, text } of cluster?.objects.foreign() ?? []) {
        if (text !== undefined) yield { home: keyOf(namespace, name), text };
      }
    },
  };
}

/** By id of the source: of those that this operator may push to. */
function openPushers(
  { sources, keys }: Pick<Neighbours, 'sources' | 'keys'>,
  { settings, log, wake, mayWrite }: ChoreOptions & { mayWrite: (() => void) | undefined },
  closing: Closing,
): ReadonlyMap<string, Pusher> {
  const { cluster, stateDirectory } = settings;
  const pushers = new Map<string, Pusher>();
  for (const [index, source] of sources.entries()) {
    const git = settings.sources[index]?.git;
    if (git?.push === undefined) continue;
    const isBehind = () => wake(source.id);
    const options = { git, source, cluster, keys, stateDirectory, now: () => new Date(), log, isBehind, mayWrite };
    pushers.set(
      source.id,
      closing.add(openPusher(options), (opened) => opened.close()),
    );
  }
  return pushers;
}
