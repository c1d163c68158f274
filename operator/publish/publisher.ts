import { CofferError } from '../../core/errors.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { Alarms } from '../concurrency/alarms.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { Contention } from '../concurrency/contention.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { EventRecorder } from '../kubernetes/events.ts';
import { type Key, keyOf, namesOf } from '../project/namespaced-name.ts';
import type { Provenance } from '../project/projector.ts';
import type { SecretStatus } from '../status/status.ts';
import { Carriage } from './carriage.ts';
import { definitionTrouble } from './definition-trouble.ts';
import type { EncryptedSecrets } from './encrypted-secrets.ts';
import { Outage } from './outage.ts';
import { StatusWriter } from './status-writer.ts';

/** Mirrors that are written at once. */
const AT_ONCE = 16;
const TRY_AGAIN = 10_000;
/** Milliseconds that closing waits for statuses that are being written. */
const LAST_WORDS = 2_000;

export interface Carried {
  home: Key;
  manifest: Manifest;
  /** The groups that this cluster is of: their stanzas are ours as well. */
  groups?: Iterable<string>;
  /** False: somebody else carries the object, and no mirror is made. */
  isGit: boolean;
}

/** How people see in the cluster what becomes of each secret: mirrors of what git carries, status, Events. */
export interface Publisher {
  /**
   * Before anything is projected: mirrors of what git carries are made or put right. Cheap where they are right: no request.
   * Never touches an object that somebody else applies. One failure is that secret's; where the kind is not served there are
   * no mirrors, and no failures (`trouble` says so).
   */
  carry(batch: readonly Carried[]): Promise<ReadonlyMap<Key, CofferError>>;
  /** The EncryptedSecret object of that name, be it a mirror or somebody else's. */
  objectOf(home: Key): Provenance['object'] | undefined;
  /** Their projections were removed: their mirrors go, objects of others stay. Errors are those of each. */
  release(homes: readonly Key[]): Promise<ReadonlyMap<Key, CofferError>>;
  /** Mirrors that were not carried since the start: when all sources are known, those whose manifests are gone. */
  orphans(): Key[];
  /** How secrets are doing: written soon, once per change, of several for one home the last. Returns at once. */
  tell(statuses: readonly SecretStatus[]): void;
  /** The mirror of this home was changed or deleted by others: to be carried again. Later and later where that never ends. */
  onDisturbed(listener: (home: Key) => void): void;
  /** What stands in the way of all: the CustomResourceDefinition is missing, say. */
  readonly trouble: CofferError | undefined;
  /** Waits, for a short time, until what was told is written. */
  close(): Promise<void>;
}

export interface PublisherParts {
  client: KubeClient;
  objects: EncryptedSecrets;
  events: Pick<EventRecorder, 'emit'>;
  /** The recipient that this operator opens for: mirrors hold its stanzas only. */
  cluster: string;
  /** Whether mirrors are made in this namespace. */
  isConfigured(namespace: string): boolean;
  now(): Date;
  /** Milliseconds between looks whether the kind is served as it should be again; absent: ten seconds. */
  tryAgain?: number;
  signal: AbortSignal;
}

export function openPublisher(parts: PublisherParts): Publisher {
  return new ClusterPublisher(parts);
}

class ClusterPublisher implements Publisher {
  readonly #parts: PublisherParts;
  readonly #outage: Outage;
  readonly #carriage: Carriage;
  readonly #statuses: StatusWriter;
  readonly #contention = new Contention();
  readonly #alarms: Alarms;
  #onDisturbed: (home: Key) => void = () => {};
  /** Before all objects were seen, what is not known may be there. */
  #isListed = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#outage = new Outage(parts.tryAgain ?? TRY_AGAIN, {
      tryOne: () => this.#disturb(this.#carriage.disturbed().slice(0, 1)),
      isOver: () => this.#disturb(this.#carriage.disturbed()),
    });
    this.#carriage = new Carriage({ ...parts, outage: this.#outage });
    this.#statuses = new StatusWriter(parts);
    const now = () => parts.now().getTime();
    const putRight = (home: Key) => {
      if (!this.#isListed || !this.#carriage.isDisturbed(home)) return;
      const due = this.#contention.due(home, now());
      if (due > now()) this.#alarms.at(due, home);
      else this.#disturb([home]);
    };
    this.#alarms = new Alarms(now, putRight);
    parts.objects.onChange(putRight);
    parts.objects.onListed(() => this.#listed());
  }

  async carry(batch: readonly Carried[]): Promise<ReadonlyMap<Key, CofferError>> {
    const { cluster, isConfigured } = this.#parts;
    const ours = batch.filter(({ home, isGit }) => isGit && isConfigured(namesOf(home).namespace));
    return this.#forEach(
      ours,
      ({ home }) => home,
      ({ manifest, groups = [] }) => this.#carriage.carry(manifest, new Set([cluster, ...groups])),
    );
  }

  objectOf(home: Key): Provenance['object'] | undefined {
    const object = this.#parts.objects.get(home);
    return object && { namespace: object.namespace, name: object.name, uid: object.uid };
  }

  async release(homes: readonly Key[]): Promise<ReadonlyMap<Key, CofferError>> {
    for (const home of homes) {
      this.#statuses.forget(home);
      this.#contention.forget(home);
    }
    return this.#forEach(
      homes,
      (home) => home,
      (home) => this.#carriage.release(home),
    );
  }

  orphans(): Key[] {
    const orphans: Key[] = [];
    for (const { namespace, name } of this.#parts.objects.mirrors()) {
      const home = keyOf(namespace, name);
      if (!this.#carriage.has(home)) orphans.push(home);
    }
    return orphans;
  }

  tell(statuses: readonly SecretStatus[]): void {
    this.#statuses.tell(statuses);
  }

  onDisturbed(listener: (home: Key) => void): void {
    this.#onDisturbed = listener;
  }

  get trouble(): CofferError | undefined {
    const unseen = this.#parts.objects.trouble();
    return definitionTrouble(unseen) ?? this.#outage.trouble ?? unseen ?? this.#statuses.trouble;
  }

  async close(): Promise<void> {
    this.#outage.close();
    this.#alarms.close();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LAST_WORDS);
    await Promise.race([this.#statuses.settled(), late]);
    clearTimeout(timer);
  }

  /** After an outage mirrors may be missing of which no event told. */
  #listed(): void {
    this.#isListed = true;
    if (this.#outage.trouble !== undefined) this.#outage.ended();
    else this.#disturb(this.#carriage.disturbed());
  }

  #disturb(homes: readonly Key[]): void {
    for (const home of homes) this.#onDisturbed(home);
  }

  async #forEach<Item>(items: readonly Item[], homeOf: (item: Item) => Key, work: (item: Item) => Promise<void>) {
    const errors = new Map<Key, CofferError>();
    await concurrently(items, AT_ONCE, async (item) => {
      try {
        await work(item);
      } catch (error) {
        if (this.#parts.signal.aborted) return;
        if (!(error instanceof CofferError)) throw error;
        errors.set(homeOf(item), error);
      }
    });
    return errors;
  }
}
