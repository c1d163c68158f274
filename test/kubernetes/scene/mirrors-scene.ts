/** The publisher on a real API server, with what the reconciler does for it done by hand. */
import type { TestContext } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import type { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../../core/format/manifest/read-manifest.ts';
import type { KubeClient } from '../../../operator/kubernetes/client.ts';
import type { EventToEmit } from '../../../operator/kubernetes/events.ts';
import { RESOURCES } from '../../../operator/kubernetes/resource.ts';
import type { Key } from '../../../operator/project/namespaced-name.ts';
import { EncryptedSecrets } from '../../../operator/publish/encrypted-secrets.ts';
import type { EncryptedSecretObject } from '../../../operator/publish/mirror.ts';
import { openPublisher, type Publisher } from '../../../operator/publish/publisher.ts';
import type { SecretStatus } from '../../../operator/status/status.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../../cluster/shared.ts';
import { sealedManifest, type TestRecipient, testCluster, type WantedManifest } from '../../support/secrets.ts';
import { connectTo } from './connect.ts';
import { Onlooker } from './onlooker.ts';

/** The recipient whose operator the publisher is of. */
export const HERE = 'production';

export class MirrorsScene {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly namespace: string;
  /** Whoever looks with kubectl. */
  readonly objects: Onlooker<EncryptedSecretObject>;
  readonly events: EventToEmit[] = [];
  /** What git holds. */
  readonly git = new Map<Key, Manifest>();
  readonly #t: TestContext;
  readonly #recipients: readonly TestRecipient[];

  private constructor(
    t: TestContext,
    cluster: Cluster,
    client: KubeClient,
    namespace: string,
    objects: Onlooker<EncryptedSecretObject>,
  ) {
    this.#t = t;
    this.cluster = cluster;
    this.client = client;
    this.namespace = namespace;
    this.objects = objects;
    this.#recipients = [testCluster(HERE), testCluster('staging')];
  }

  /** `cluster`: one of its own; absent: the one that all share. */
  static async open(t: TestContext, own?: Cluster): Promise<MirrorsScene | undefined> {
    const cluster = own ?? (await sharedCluster(t));
    if (cluster === undefined) return undefined;
    await sodiumReady();
    const namespace = await newNamespace(t, cluster, 'mirrors');
    const client = await connectTo(t, cluster.kubeconfig, { namespace });
    const objects = await Onlooker.open<EncryptedSecretObject>(t, client, RESOURCES.encryptedSecrets, namespace);
    return new MirrorsScene(t, cluster, client, namespace, objects);
  }

  /** Puts a manifest, sealed to this cluster and another, into git. */
  commit(name: string, data: Record<string, string>, more: Partial<WantedManifest> = {}): Manifest {
    const { namespace } = this;
    const text = sealedManifest({ namespace, name, to: this.#recipients, data, ...more });
    const [manifest] = readManifestFile(Buffer.from(text), `${name}.yaml`).manifests;
    if (manifest === undefined) throw new Error('no manifest');
    this.git.set(`${namespace}/${name}`, manifest);
    return manifest;
  }

  /** A publisher, as the operator of this kubeconfig would run it, that carries what git holds again where others disturbed it, as the reconciler has it. */
  async start(kubeconfig = this.cluster.kubeconfig): Promise<RunningPublisher> {
    const { namespace } = this;
    return this.startWith(await connectTo(this.#t, kubeconfig, { namespace }));
  }

  /** The same with a client. */
  async startWith(client: KubeClient): Promise<RunningPublisher> {
    const end = new AbortController();
    const { namespace } = this;
    const objects = new EncryptedSecrets(client, [namespace]);
    const publisher = openPublisher({
      client,
      objects,
      events: { emit: (event) => this.events.push(event) },
      cluster: HERE,
      isConfigured: (name) => name === namespace,
      now: () => new Date(),
      tryAgain: 500,
      signal: end.signal,
    });
    const running = new RunningPublisher(this.git, publisher, objects);
    const watching = objects.run(end.signal);
    this.#t.after(() => running.stop());
    running.onStop(async () => {
      await publisher.close();
      end.abort();
      await watching;
    });
    await objects.synced;
    return running;
  }

  statusOf(name: string, status: Partial<SecretStatus> = {}): SecretStatus {
    const { namespace } = this;
    return { namespace, name, source: 'secrets', path: `${name}.yaml`, state: 'ready', workloads: [], ...status };
  }
}

export class RunningPublisher {
  readonly publisher: Publisher;
  readonly objects: EncryptedSecrets;
  readonly #git: ReadonlyMap<Key, Manifest>;
  readonly #carrying = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();
  #onStop: (() => Promise<void>) | undefined;

  constructor(git: ReadonlyMap<Key, Manifest>, publisher: Publisher, objects: EncryptedSecrets) {
    this.#git = git;
    this.publisher = publisher;
    this.objects = objects;
    publisher.onDisturbed((home) => {
      const carrying = this.carry([home]).finally(() => this.#carrying.delete(carrying));
      this.#carrying.add(carrying);
    });
  }

  /** All that git holds, or these; one after the other, as the reconciler has its batches. */
  carry(homes: Iterable<Key> = this.#git.keys()): Promise<ReadonlyMap<Key, CofferError>> {
    const batch = [...homes].flatMap((home) => {
      const manifest = this.#git.get(home);
      return manifest === undefined ? [] : [{ home, manifest, isGit: true }];
    });
    const carry = () => this.publisher.carry(batch);
    const done = this.#turn.then(carry, carry);
    this.#turn = done;
    return done;
  }

  onStop(stop: () => Promise<void>): void {
    this.#onStop = stop;
  }

  async stop(): Promise<void> {
    const stop = this.#onStop;
    this.#onStop = undefined;
    await stop?.();
    await Promise.all(this.#carrying);
  }
}
