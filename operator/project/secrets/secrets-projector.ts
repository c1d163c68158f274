import type { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { reaches } from '../../../core/format/manifest/reach.ts';
import type { Alarms } from '../../concurrency/alarms.ts';
import type { Contention } from '../../concurrency/contention.ts';
import type { Namespaces } from '../../kubernetes/namespaces.ts';
import type { Disturbances } from '../disturbances.ts';
import { type Key, keyOf, namesOf } from '../namespaced-name.ts';
import type {
  AppliedWorkload,
  Audience,
  ProjectedSecret,
  Projector,
  Provenance,
  SecretName,
  Wanted,
} from '../projector.ts';
import type { Readers } from '../readers/readers.ts';
import type { Restarts } from '../restart/restarts.ts';
import type { Digests } from './digests.ts';
import { homeOf, type Inventory, type OurSecret, stateOf } from './inventory.ts';
import { isAsPlanned, planOf, type SecretPlan } from './plan.ts';
import { refusal } from './refusals.ts';
import type { SecretLeaver } from './secret-leaver.ts';
import type { SecretWatch } from './secret-watch.ts';
import type { SecretWriter } from './secret-writer.ts';

export interface SecretsRooms {
  namespaces: Namespaces;
  /** Whether the configuration lets Secrets be written in a namespace. */
  isAllowed(namespace: string): boolean;
  digests: Digests;
  inventory: Inventory;
  watch: SecretWatch;
  writer: SecretWriter;
  leaver: SecretLeaver;
  disturbances: Disturbances;
  alarms: Alarms;
  contention: Contention;
  readers: Readers | undefined;
  restarts: Restarts | undefined;
  now: () => number;
  /** Ends what runs. */
  end(): Promise<void>;
}

/** Kubernetes Secrets: one of the manifest's name in each namespace that it reaches. */
export class SecretsProjector implements Projector {
  readonly id = 'kubernetes-secrets';
  readonly #rooms: SecretsRooms;
  /** Of the batch: namespaces whose readers could not be made known. */
  #unprepared: ReadonlyMap<string, CofferError> = new Map();
  #closed: Promise<void> | undefined;

  constructor(rooms: SecretsRooms) {
    this.#rooms = rooms;
  }

  audience(manifest: Manifest): Audience[] {
    if (manifest.projection === 'Volume') return [];
    const { namespaces, isAllowed } = this.#rooms;
    const entries = new Set([...manifest.entries.keys(), ...manifest.template.data.keys()]);
    const reached = [...namespaces.names()].filter((name) => isAllowed(name) && reaches(manifest, name));
    return reached.map((namespace) => ({ workload: keyOf(namespace, manifest.name), entries }));
  }

  isCurrent(wanted: Wanted): boolean {
    const { inventory, readers, digests, now } = this.#rooms;
    const { secret, audience, provenance } = wanted;
    const found = inventory.of(keyOf(secret.namespace, secret.name));
    const isEach = found.length === audience.length && audience.every(({ workload }) => inventory.ours(workload));
    if (!isEach || readers?.isCurrent(wanted) === false) return false;
    const plan = planOf(secret, provenance, digests);
    if (!found.every((known) => isAsPlanned(known, plan))) return false;
    for (const known of found) known.noted = stateOf(known, now());
    return true;
  }

  async prepare(batch: readonly Wanted[]): Promise<void> {
    const { readers, inventory } = this.#rooms;
    // Readers of a Secret that stays somebody else's would keep that one's own pods from it.
    const isToBeOurs = ({ workload }: Audience) => inventory.foreign(workload)?.isOffered !== false;
    const ours = batch.map((wanted) => ({ ...wanted, audience: wanted.audience.filter(isToBeOurs) }));
    this.#unprepared = (await readers?.prepare(ours)) ?? new Map();
  }

  async apply(
    secret: ProjectedSecret,
    audience: readonly Audience[],
    values: ReadonlyMap<string, Uint8Array>,
    provenance: Provenance,
  ): Promise<AppliedWorkload[]> {
    const { inventory, namespaces, digests } = this.#rooms;
    const home = keyOf(secret.namespace, secret.name);
    const plan = planOf(secret, provenance, digests);
    const applied = audience.map(({ workload, entries }) => {
      const granted = new Map([...values].filter(([name]) => entries.has(name)));
      return this.#attempt(workload, home, () => this.#write(workload, plan, granted));
    });
    const wanted = new Set(audience.map(({ workload }) => workload));
    const leave = secret.deletionPolicy === 'Retain' ? this.#retain : this.#remove;
    // What is in a namespace that is being deleted goes with it.
    const left = inventory
      .of(home)
      .filter(({ namespace, name }) => !wanted.has(keyOf(namespace, name)) && !namespaces.isTerminating(namespace));
    return Promise.all([...applied, ...left.map((known) => this.#leave(known, leave))]);
  }

  retain(namespace: string, name: string): Promise<AppliedWorkload[]> {
    return this.#leaveAll(keyOf(namespace, name), this.#retain);
  }

  prune(namespace: string, name: string): Promise<AppliedWorkload[]> {
    return this.#leaveAll(keyOf(namespace, name), this.#remove);
  }

  async heal(again: (namespace: string, name: string) => Promise<void>, where: 'disturbed' | 'all'): Promise<void> {
    const { inventory, disturbances } = this.#rooms;
    const keys = new Set(disturbances.take());
    if (where === 'all') {
      for (const [key, { noted, asks }] of inventory.all())
        if (noted !== undefined || asks !== undefined) keys.add(key);
      // What went with its namespace was asked of nobody, and should that be made anew at once, nobody else sees that it came back.
      for (const key of inventory.unasked()) keys.add(key);
    }
    const homes = new Set<Key>();
    for (const key of keys) {
      const home = this.#dueHome(key);
      if (home !== undefined) homes.add(home);
    }
    for (const home of homes) {
      const { namespace, name } = namesOf(home);
      await again(namespace, name);
    }
  }

  onDisturbed(listener: () => void): void {
    this.#rooms.disturbances.onTouched(listener);
  }

  owned(): Iterable<SecretName> {
    return this.#rooms.inventory.homes();
  }

  async notify(signal?: AbortSignal): Promise<CofferError[]> {
    return (await this.#rooms.restarts?.notify(signal)) ?? [];
  }

  close(): Promise<void> {
    this.#closed ??= this.#rooms.end();
    return this.#closed;
  }

  /** The home of what must be opened and applied again, if that is so. */
  #dueHome(key: Key): Key | undefined {
    const { inventory, namespaces, contention, alarms, now } = this.#rooms;
    const { namespace } = namesOf(key);
    if (!namespaces.names().has(namespace) || namespaces.isTerminating(namespace)) return undefined;
    const known = inventory.ours(key);
    const state = known && stateOf(known, now());
    const isRight = known !== undefined && (state === known.noted || state === known.asked);
    const home = known ? homeOf(known) : (inventory.refusedHome(key) ?? inventory.missingHome(key));
    if (isRight || home === undefined) return undefined;
    const due = contention.due(key, now());
    if (due > now()) {
      alarms.at(due, key);
      return undefined;
    }
    // Where it fails, whoever was asked tries again.
    if (known === undefined) inventory.ask(key);
    else known.asked = state;
    return home;
  }

  async #write(key: Key, plan: SecretPlan, values: ReadonlyMap<string, Uint8Array>): Promise<'unchanged' | 'written'> {
    const { writer, restarts, inventory, alarms } = this.#rooms;
    const { namespace, name } = namesOf(key);
    const unprepared = this.#unprepared.get(namespace);
    if (unprepared !== undefined) throw unprepared;
    // Where we may not look, what others change would stay; a watch that is merely broken off comes back by itself.
    const forbidden = this.#forbidden(namespace);
    if (forbidden !== undefined) throw forbidden;
    try {
      const { outcome, content } = await writer.write(plan, namespace, values);
      restarts?.holds(namespace, name, content.entries);
      return outcome;
    } finally {
      const until = inventory.ours(key)?.suspendedUntil;
      if (until !== undefined) alarms.at(until, key);
    }
  }

  async #attempt(
    workload: string,
    home: Key,
    attempt: () => Promise<AppliedWorkload['outcome']>,
  ): Promise<AppliedWorkload> {
    try {
      return { workload, outcome: await attempt() };
    } catch (error) {
      const { inventory, readers } = this.#rooms;
      const known = refusal(error, { ...namesOf(workload), workload });
      if (inventory.ours(workload) === undefined) inventory.refuse(workload, home);
      // It may have been made after its readers were prepared.
      if (known.code === 'SECRET_NOT_OURS') await readers?.forget([namesOf(workload)]);
      return { workload, outcome: 'refused', error: known };
    }
  }

  #leaveAll(home: Key, leave: (known: OurSecret) => Promise<void>): Promise<AppliedWorkload[]> {
    const { inventory, isAllowed } = this.#rooms;
    inventory.forgetWishes(home);
    const left = inventory.of(home).map((known) => this.#leave(known, leave));
    const { namespace } = namesOf(home);
    if (inventory.ours(home) === undefined && isAllowed(namespace)) {
      // That none is known where we may not look is no proof that there is none.
      const forbidden = this.#forbidden(namespace);
      if (forbidden !== undefined) left.push(this.#attempt(home, home, () => Promise.reject(forbidden)));
    }
    return Promise.all(left);
  }

  #forbidden(namespace: string): CofferError | undefined {
    const trouble = this.#rooms.watch.trouble(namespace);
    return trouble?.code === 'KUBERNETES_FORBIDDEN' ? trouble : undefined;
  }

  #leave(known: OurSecret, leave: (known: OurSecret) => Promise<void>): Promise<AppliedWorkload> {
    const key = keyOf(known.namespace, known.name);
    return this.#attempt(key, homeOf(known), async () => {
      const { readers, restarts, contention } = this.#rooms;
      await leave(known);
      restarts?.gone(known.namespace, known.name);
      contention.forget(key);
      await readers?.forget([{ namespace: known.namespace, name: known.name }]);
      return 'removed';
    });
  }

  readonly #remove = (known: OurSecret): Promise<void> => this.#rooms.leaver.remove(known);
  readonly #retain = (known: OurSecret): Promise<void> => this.#rooms.leaver.retain(known);
}
