import { BackOff } from '../concurrency/back-off.ts';
import { pause } from '../concurrency/pause.ts';
import type { KubeClient } from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { LeaderLabel } from './leader-label.ts';
import { type KubeObject, RESOURCES } from './resource.ts';

export interface LeadershipOptions {
  lease: string;
  /** Milliseconds that others wait for a silent leader. */
  duration: number;
  /** Unique to this process: one that is started again must not take itself for its forerunner. */
  identity: string;
  /** The operator's own pod, which is labelled while it leads. */
  pod?: string;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number | null;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number | null;
  };
}

/** Shares of the duration: how often it is renewed, and for how long a renewal counts. The rest is for writes on their way. */
const RENEW_EVERY = 0.2;
const HELD_FOR = 2 / 3;
const TIME_LIMIT = 1 / 3;

/**
 * Which of several operators writes, by a Lease. Times in the record are those of other machines and say nothing here: a silent
 * leader is one whose record this process saw unchanged for the duration, by its own monotonic clock. Who cannot renew stops
 * writing before others may begin, and goes on where nobody else took the lease meanwhile; who finds another in it has lost.
 */
export class Leadership {
  readonly #client: KubeClient;
  readonly #options: LeadershipOptions;
  readonly #label: LeaderLabel;
  readonly #ending = new AbortController();
  readonly #loss = new AbortController();
  #renewing: Promise<void> | undefined;
  /** As it was written last. */
  #lease: Lease | undefined;
  /** Until when writes may be sent, by both clocks: that of the wall goes on while a machine sleeps. */
  #held = { monotonic: 0, wall: 0 };
  #trouble: KubernetesError | undefined;

  constructor(client: KubeClient, options: LeadershipOptions) {
    this.#client = client;
    this.#options = options;
    this.#label = new LeaderLabel(client, options.pod);
  }

  /** Aborted when another leads: this process must end. */
  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  /** Why the lease cannot be read or renewed now. */
  get trouble(): KubernetesError | undefined {
    return this.#trouble;
  }

  get isHeld(): boolean {
    return performance.now() < this.#held.monotonic && Date.now() < this.#held.wall;
  }

  /** The fence of every write. Throws KubernetesError `KUBERNETES_NOT_LEADER` unless nobody else can lead now. */
  assertHeld(): void {
    if (this.isHeld) return;
    throw new KubernetesError(
      'KUBERNETES_NOT_LEADER',
      'The operator could not renew its lease, so it writes nothing.',
      {
        advice: 'Nothing, if it passes; else check that the operator may update its Lease and reaches the API server.',
        loop: 'retry',
      },
    );
  }

  /**
   * Resolves when this process leads: `true`; or at the signal: `false`. From then on the lease is renewed. `standBy` is called
   * whenever another is found to lead.
   */
  async acquire(signal: AbortSignal, standBy: () => void = () => {}): Promise<boolean> {
    await this.#label.set(false);
    const waits = new BackOff(this.#options.duration * RENEW_EVERY, this.#options.duration * RENEW_EVERY);
    let observed: { version: string; at: number } | undefined;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        const lease = await this.#read(signal);
        const version = lease?.metadata.resourceVersion ?? '';
        if (observed?.version !== version) observed = { version, at: began };
        if (lease === undefined || this.#isOurs(lease) || isFree(lease, observed.at, this.#options.duration)) {
          await this.#write(lease);
          this.#renewing = this.#renew();
          await this.#label.set(true);
          return true;
        }
        this.#trouble = undefined;
        standBy();
      } catch (error) {
        // Another was faster.
        const isTaken = error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT';
        if (!isTaken) this.#fail(error, signal);
      }
      await pause(waits.next(), signal);
    }
    return false;
  }

  /** Hands the lease over at once. To be called when nothing of this process writes any more. Calling it again does nothing. */
  async release(): Promise<void> {
    this.#ending.abort();
    await this.#renewing;
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined || this.#loss.signal.aborted) return;
    await this.#label.set(false);
    this.#held = { monotonic: 0, wall: 0 };
    try {
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await this.#client.replace(RESOURCES.leases, { ...lease, spec }, { signal: this.#timeLimit() });
    } catch (error) {
      // Others then wait for its end, as for one that was killed.
      this.#fail(error, undefined);
    }
  }

  async #renew(): Promise<void> {
    const every = this.#options.duration * RENEW_EVERY;
    while (await pause(every, this.#ending.signal)) {
      try {
        await this.#write(this.#lease);
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.code !== 'KUBERNETES_CONFLICT') {
          this.#fail(error, this.#ending.signal);
          continue;
        }
        await this.#lookAgain();
      }
      if (this.#loss.signal.aborted) return;
    }
  }

  /** Somebody wrote the lease: this process, whose answer was lost; or another, who then leads. */
  async #lookAgain(): Promise<void> {
    try {
      const lease = await this.#read(this.#ending.signal);
      this.#lease = lease;
      if (lease?.spec?.holderIdentity === this.#options.identity) return;
    } catch (error) {
      this.#fail(error, this.#ending.signal);
      return;
    }
    this.#held = { monotonic: 0, wall: 0 };
    this.#loss.abort(
      new KubernetesError('KUBERNETES_NOT_LEADER', 'Another operator leads now, so this one ends.', {
        advice: 'Nothing: it starts again as a standby.',
        exit: 1,
        loop: 'stop',
      }),
    );
  }

  #read(signal: AbortSignal): Promise<Lease | undefined> {
    const { namespace } = this.#client;
    const name = { namespace, name: this.#options.lease };
    return this.#client.get<Lease>(RESOURCES.leases, name, AbortSignal.any([signal, this.#timeLimit()]));
  }

  /** It may be without this process knowing: the answer to the write that took it was lost. */
  #isOurs(lease: Lease | undefined): boolean {
    return lease?.spec?.holderIdentity === this.#options.identity;
  }

  /** Takes or renews the lease, only if nobody wrote it since it was read. Throws KubernetesError. */
  async #write(lease: Lease | undefined): Promise<void> {
    const { identity, duration, lease: name } = this.#options;
    const isOurs = this.#isOurs(lease);
    const now = new Date().toISOString().replace('Z', '000Z');
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(duration / 1000),
      acquireTime: isOurs ? lease?.spec?.acquireTime : now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (isOurs || lease === undefined ? 0 : 1),
    };
    // Counted from before the request: the server saw it later than that.
    const held = { monotonic: performance.now() + duration * HELD_FOR, wall: Date.now() + duration * HELD_FOR };
    const signal = this.#timeLimit();
    const metadata = lease?.metadata ?? { namespace: this.#client.namespace, name };
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    this.#lease =
      lease === undefined
        ? await this.#client.create<Lease>(RESOURCES.leases, object, { signal })
        : await this.#client.replace<Lease>(RESOURCES.leases, object, { signal });
    this.#held = held;
    this.#trouble = undefined;
  }

  #timeLimit(): AbortSignal {
    return AbortSignal.timeout(Math.round(this.#options.duration * TIME_LIMIT));
  }

  /** What passes is noted; a mistake of ours ends the leadership, or is thrown where there is none yet. */
  #fail(error: unknown, signal: AbortSignal | undefined): void {
    if (signal?.aborted) return;
    if (error instanceof KubernetesError) this.#trouble = error;
    else if (!(error instanceof DOMException && error.name === 'TimeoutError')) throw error;
  }
}

/** Given up, or seen unchanged for as long as its holder asked others to wait. */
function isFree({ spec }: Lease, observedAt: number, duration: number): boolean {
  if (!spec?.holderIdentity) return true;
  const wait = spec.leaseDurationSeconds ? spec.leaseDurationSeconds * 1000 : duration;
  return performance.now() - observedAt > wait;
}
