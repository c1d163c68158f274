import { CofferError } from '../../../core/errors.ts';
import { allOrNone } from '../../concurrency/all-or-none.ts';
import { Waiting } from '../../concurrency/waiting.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';
import { RESOURCES, type Resource } from '../../kubernetes/resource.ts';
import { type NamespacedWatch, watchNamespaces } from '../../kubernetes/watch-namespaces.ts';
import { HeldDigests } from './held-digests.ts';
import { type Change, TrackedWorkload } from './tracked-workload.ts';
import { notRolled, type WorkloadObject, wantsRestart, workloadKey } from './workload.ts';

export interface RestartsOptions {
  client: KubeClient;
  /** Names and globs. */
  namespaces: readonly string[];
  /** Names the key of the digests, without telling it: digests under another key are not compared. */
  digestKeyId: string;
}

/** Rolls the workloads that ask for it (`coffer.dev/restart-on-change`) once for each real change of an entry that they read. */
export interface Restarts {
  /**
   * What a Secret of ours holds: a keyed digest of each entry's value. To be called for each that is found at the start, and
   * after each that was written; not for what others made of it. Rolls nothing yet.
   */
  holds(namespace: string, name: string, entries: ReadonlyMap<string, string>): void;

  /** The Secret is gone. */
  gone(namespace: string, name: string): void;

  /**
   * To be awaited once, after `holds` was called for all that is found at the start and before the first write: writes down
   * what the workloads that are seen for the first time read now. What cannot be written is tried again.
   */
  begin(signal?: AbortSignal): Promise<void>;

  /** Rolls every workload that reads something that changed, once. Failures are returned and tried again at the next call. */
  notify(signal?: AbortSignal): Promise<CofferError[]>;

  /** Watches the workloads, until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function openRestarts(options: RestartsOptions): Restarts {
  return new WorkloadRestarts(options);
}

const KINDS: readonly Resource[] = [RESOURCES.deployments, RESOURCES.statefulSets, RESOURCES.daemonSets];
/** Workloads that are written at the same time. */
const AT_ONCE = 8;

class WorkloadRestarts implements Restarts {
  readonly #client: KubeClient;
  readonly #keyId: string;
  readonly #held = new HeldDigests();
  readonly #workloads = new Map<string, TrackedWorkload>();
  readonly #watches: readonly NamespacedWatch[];
  /** Keys of workloads whose state is to be written down. */
  readonly #unrecorded = new Waiting();
  #hasBegun = false;
  /** Writes go one round after another: a roll is judged by what the one before it wrote. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ client, namespaces, digestKeyId }: RestartsOptions) {
    this.#client = client;
    this.#keyId = digestKeyId;
    this.#watches = KINDS.map((resource) =>
      watchNamespaces<WorkloadObject>(
        client,
        namespaces,
        { resource },
        {
          changed: (object) => this.#seen(resource, object),
          deleted: (name) => this.#workloads.delete(workloadKey(resource, name)),
        },
      ),
    );
  }

  holds(namespace: string, name: string, entries: ReadonlyMap<string, string>): void {
    this.#held.set(namespace, name, entries);
  }

  gone(namespace: string, name: string): void {
    this.#held.delete(namespace, name);
  }

  async begin(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#watches.map(({ synced }) => synced));
    this.#hasBegun = true;
    for (const workload of this.#workloads.values()) workload.look(this.#held);
    await this.#forEach([...this.#workloads.keys()], (workload) => this.#record(workload), signal);
  }

  async notify(signal?: AbortSignal): Promise<CofferError[]> {
    const failures = await this.#forEach([...this.#workloads.keys()], (workload) => this.#roll(workload), signal);
    const troubles = this.#watches.map((watch) => watch.trouble()).filter((trouble) => trouble !== undefined);
    return [...failures, ...troubles];
  }

  run(signal: AbortSignal): Promise<void> {
    return allOrNone(signal, (ends) => [...this.#watches.map((watch) => watch.run(ends)), this.#recordNew(ends)]);
  }

  #seen(resource: Resource, object: WorkloadObject): void {
    const key = workloadKey(resource, object.metadata);
    if (!wantsRestart(object)) {
      this.#workloads.delete(key);
      return;
    }
    let workload = this.#workloads.get(key);
    if (workload?.uid !== object.metadata.uid) workload = undefined;
    workload ??= new TrackedWorkload(resource, object, this.#keyId);
    this.#workloads.set(key, workload);
    workload.see(object);
    if (!this.#hasBegun) return;
    workload.look(this.#held);
    if (workload.record() !== undefined) this.#unrecorded.add(key);
  }

  /** Writes down what workloads read that appear while the operator runs. What fails waits for the workload's next change or roll. */
  async #recordNew(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const keys = await this.#unrecorded.take(signal);
      await this.#forEach(keys, (workload) => this.#record(workload), signal);
    }
  }

  #record(workload: TrackedWorkload): Promise<void> {
    return this.#patch(workload, workload.record());
  }

  #roll(workload: TrackedWorkload): Promise<void> {
    // A Secret that its pods waited for is there since they started.
    workload.look(this.#held);
    return this.#patch(workload, workload.roll(this.#held) ?? workload.record());
  }

  async #patch(workload: TrackedWorkload, change: Change | undefined): Promise<void> {
    if (change === undefined) return;
    const { resource, namespace, name } = workload;
    const patch = { type: 'merge', metadataOnly: true } as const;
    const { metadata } = await this.#client.patch(resource, { namespace, name }, change.body, patch);
    workload.wrote(change, metadata.resourceVersion);
  }

  /** Returns the failures. */
  #forEach(
    keys: readonly string[],
    work: (workload: TrackedWorkload) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<CofferError[]> {
    const round = async () => {
      const failures: CofferError[] = [];
      const queue = [...keys];
      const worker = async () => {
        for (let key = queue.shift(); key !== undefined && signal?.aborted !== true; key = queue.shift()) {
          const workload = this.#workloads.get(key);
          if (workload === undefined) continue;
          const failure = await failureOf(workload, () => work(workload));
          if (failure !== undefined) failures.push(failure);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return failures;
    };
    const done = this.#turn.then(round, round);
    this.#turn = done;
    return done;
  }
}

async function failureOf(
  { resource, namespace, name }: TrackedWorkload,
  work: () => Promise<void>,
): Promise<CofferError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    // Deleted meanwhile: the watch will say so.
    if (error instanceof KubernetesError && error.status === 404) return undefined;
    return notRolled(error, resource, namespace, name);
  }
}
