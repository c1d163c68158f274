import { CofferError } from '../../../core/errors.ts';
import { allOrNone } from '../../concurrency/all-or-none.ts';
import { BackOff } from '../../concurrency/back-off.ts';
import { pause } from '../../concurrency/pause.ts';
import { Waiting } from '../../concurrency/waiting.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { EventRecorder } from '../../kubernetes/events.ts';
import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';
import { RESOURCES } from '../../kubernetes/resource.ts';
import { type NamespacedWatch, watchNamespaces } from '../../kubernetes/watch-namespaces.ts';
import type { SecretName, Wanted } from '../projector.ts';
import { isNamespaceGone, NamespaceReaders, READERS_NAME, type SecretReaders } from './namespace-readers.ts';
import type { Offender } from './offenders.ts';
import { Patrol } from './patrol.ts';
import { type Rows, rowsOf } from './rows.ts';

export interface ReadersOptions {
  client: KubeClient;
  /** Names and globs. */
  namespaces: readonly string[];
  events: Pick<EventRecorder, 'emit'>;
  /** Milliseconds from a change of readers to the look for pods that were there before. */
  settle?: number;
}

/** Namespaces that are written at the same time. */
const AT_ONCE = 8;
const SETTLE = 5000;

/**
 * Who may read the Secrets of a namespace, as the admission policy looks it up: one SecretReaders object a namespace, named
 * `coffer`. It says so before a Secret is there, and until after it went.
 */
export interface Readers {
  /** Every object that is there was seen once. To be awaited before the first `isCurrent`. */
  readonly synced: Promise<void>;

  /** Whether the object of each namespace of the audience says of this secret what its manifest says. */
  isCurrent(wanted: Wanted): boolean;

  /**
   * Says who may read these secrets: at most one write for each namespace of their audiences, none where nothing differs.
   * Returns the namespaces whose object could not be written: in those no Secret of the batch may be made or changed.
   */
  prepare(batch: readonly Wanted[]): Promise<ReadonlyMap<string, CofferError>>;

  /** To be called when these Secrets are gone, or are nobody's any more. What could not be written is tried again by `run`. */
  forget(secrets: readonly SecretName[]): Promise<void>;

  /**
   * The same for all but these: once after the start, for what a killed operator left.
   *
   * @param isSeen whether all Secrets of a namespace are known; where they are not, nothing is taken out
   */
  keepOnly(owned: Iterable<SecretName>, isSeen: (namespace: string) => boolean): Promise<void>;

  /** Pods that were admitted before the policy knew. */
  offenders(): readonly Offender[];

  /** Why readers are not enforced (the policy is missing on the cluster) or not looked after. */
  readonly trouble: CofferError | undefined;

  /** Watches, until the signal: puts back what others changed, and looks for offenders. */
  run(signal: AbortSignal): Promise<void>;
}

export function openReaders(options: ReadersOptions): Readers {
  return new ClusterReaders(options);
}

class ClusterReaders implements Readers {
  readonly synced: Promise<void>;
  readonly #client: KubeClient;
  readonly #namespaces = new Map<string, NamespaceReaders>();
  readonly #watch: NamespacedWatch;
  /** Namespaces whose object is to be mended. */
  readonly #disturbed = new Waiting();
  /** NAMESPACE/NAME of what could not be taken out yet. */
  readonly #unforgotten = new Set<string>();
  readonly #patrol: Patrol;

  constructor({ client, namespaces, events, settle = SETTLE }: ReadersOptions) {
    this.#client = client;
    this.#patrol = new Patrol({ client, events, settle, namespaces: this.#namespaces });
    const resource = RESOURCES.secretReaders;
    const fieldSelector = `metadata.name=${READERS_NAME}`;
    this.#watch = watchNamespaces<SecretReaders>(
      client,
      namespaces,
      { resource, fieldSelector },
      {
        changed: (object) => this.#see(object.metadata.namespace ?? '', (readers) => readers.seen(object)),
        deleted: ({ namespace, uid }) => this.#see(namespace, (readers) => readers.gone(uid)),
      },
    );
    this.synced = this.#watch.synced;
  }

  get trouble(): CofferError | undefined {
    return this.#patrol.trouble ?? this.#watch.trouble();
  }

  offenders(): readonly Offender[] {
    return this.#patrol.offenders();
  }

  isCurrent({ secret, audience }: Wanted): boolean {
    const rows = rowsOf(secret);
    return audience.every((one) => this.#namespaces.get(namespaceOf(one.workload))?.says(secret.name, rows) === true);
  }

  async prepare(batch: readonly Wanted[]): Promise<ReadonlyMap<string, CofferError>> {
    const changes = new Map<string, Map<string, Rows>>();
    for (const { secret, audience } of batch) {
      const rows = rowsOf(secret);
      for (const { workload } of audience) {
        const namespace = namespaceOf(workload);
        this.#unforgotten.delete(`${namespace}/${secret.name}`);
        mapIn(changes, namespace).set(secret.name, rows);
      }
    }
    return this.#change(changes);
  }

  async forget(secrets: readonly SecretName[]): Promise<void> {
    const changes = new Map<string, Map<string, undefined>>();
    for (const { namespace, name } of secrets) {
      if (this.#namespaces.get(namespace)?.rows(name) === undefined) continue;
      mapIn(changes, namespace).set(name, undefined);
    }
    const failures = await this.#change(changes);
    for (const [namespace, error] of failures) {
      if (isNamespaceGone(error)) continue;
      for (const name of changes.get(namespace)?.keys() ?? []) this.#unforgotten.add(`${namespace}/${name}`);
      this.#disturbed.add(namespace);
    }
  }

  async keepOnly(owned: Iterable<SecretName>, isSeen: (namespace: string) => boolean): Promise<void> {
    const kept = new Set(Array.from(owned, ({ namespace, name }) => `${namespace}/${name}`));
    const others: SecretName[] = [];
    for (const [namespace, readers] of this.#namespaces) {
      if (!isSeen(namespace)) continue;
      for (const name of readers.secrets()) if (!kept.has(`${namespace}/${name}`)) others.push({ namespace, name });
    }
    await this.forget(others);
  }

  run(signal: AbortSignal): Promise<void> {
    return allOrNone(signal, (ends) => [this.#watch.run(ends), this.#mendDisturbed(ends), this.#patrol.run(ends)]);
  }

  #see(namespace: string, tell: (readers: NamespaceReaders) => boolean): void {
    const isNew = !this.#namespaces.has(namespace);
    if (tell(this.#of(namespace))) this.#disturbed.add(namespace);
    if (isNew) this.#patrol.lookAt(namespace);
  }

  #of(namespace: string): NamespaceReaders {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const readers = new NamespaceReaders(this.#client, namespace);
    this.#namespaces.set(namespace, readers);
    return readers;
  }

  /** Returns the failures by namespace. */
  async #change(
    changes: ReadonlyMap<string, ReadonlyMap<string, Rows | undefined>>,
  ): Promise<ReadonlyMap<string, CofferError>> {
    const failures = new Map<string, CofferError>();
    const queue = [...changes];
    const worker = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [namespace, secrets] = next;
        try {
          await this.#of(namespace).change(secrets);
          this.#patrol.lookAt(namespace);
        } catch (error) {
          if (!(error instanceof CofferError)) throw error;
          failures.set(namespace, explained(error, namespace));
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return failures;
  }

  async #mendDisturbed(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff(1000, 300_000);
    while (!signal.aborted) {
      const failed: string[] = [];
      for (const namespace of await this.#disturbed.take(signal)) {
        try {
          await this.#of(namespace).mend();
          await this.#forgetAgain(namespace);
        } catch (error) {
          if (!(error instanceof CofferError)) throw error;
          failed.push(namespace);
        }
      }
      if (failed.length === 0) backOff.reset();
      else await pause(backOff.next(), signal);
      for (const namespace of failed) this.#disturbed.add(namespace);
    }
  }

  async #forgetAgain(namespace: string): Promise<void> {
    const names = [...this.#unforgotten].filter((name) => namespaceOf(name) === namespace);
    await this.#of(namespace).change(new Map(names.map((name) => [name.slice(namespace.length + 1), undefined])));
    for (const name of names) this.#unforgotten.delete(name);
  }
}

function explained(error: CofferError, namespace: string): CofferError {
  if (!(error instanceof KubernetesError) || error.code !== 'KUBERNETES_TOO_LARGE') return error;
  return new CofferError(
    'SECRET_READERS_TOO_LARGE',
    `Namespace ${namespace} has more secrets and readers than one SecretReaders object can hold (about 1.5 MB).`,
    {
      advice: 'Move secrets into another namespace, or name fewer readers and entries ("*" is one row).',
      data: { namespace },
      cause: error,
    },
  );
}

function namespaceOf(workload: string): string {
  return workload.slice(0, workload.indexOf('/'));
}

function mapIn<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = maps.get(key);
  if (known !== undefined) return known;
  const made = new Map<string, V>();
  maps.set(key, made);
  return made;
}
