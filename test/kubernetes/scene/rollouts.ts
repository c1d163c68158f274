import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type KubeObject, RESOURCES } from '../../../operator/kubernetes/resource.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { connectTo } from './connect.ts';
import { Onlooker } from './onlooker.ts';

export interface Deployment extends KubeObject {
  spec: { replicas: number; template: { metadata: { annotations?: Record<string, string> }; spec: object } };
  status?: { observedGeneration?: number };
}

const ASKS = { annotations: { 'coffer.dev/restart-on-change': 'true' } };

/** Deployments of a namespace, without pods, and how often the cluster's controller has rolled them. */
export class Rollouts {
  readonly t: TestContext;
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly deployments: Onlooker<Deployment>;
  readonly #replicaSets: Onlooker<KubeObject>;

  constructor(
    t: TestContext,
    cluster: Cluster,
    namespace: string,
    deployments: Onlooker<Deployment>,
    replicaSets: Onlooker<KubeObject>,
  ) {
    this.t = t;
    this.cluster = cluster;
    this.namespace = namespace;
    this.deployments = deployments;
    this.#replicaSets = replicaSets;
  }

  static async open<T extends Rollouts>(
    this: new (
      ...parts: ConstructorParameters<typeof Rollouts>
    ) => T,
    t: TestContext,
    cluster: Cluster,
    namespace: string,
  ): Promise<T> {
    const client = await connectTo(t, cluster.kubeconfig);
    const deployments = await Onlooker.open<Deployment>(t, client, RESOURCES.deployments, namespace);
    const replicaSets = await Onlooker.open<KubeObject>(t, client, RESOURCES.replicaSets, namespace);
    return new this(t, cluster, namespace, deployments, replicaSets);
  }

  /** Returns when the controller has made its ReplicaSet. */
  async deploy(name: string, pod: object, marks: object = ASKS): Promise<void> {
    await this.cluster.admin.expect('POST', this.#path('deployments'), {
      metadata: { name, ...marks },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: { containers: [{ name: 'main', image: 'none' }], ...pod },
        },
      },
    });
    await this.#observed(name);
  }

  async patch(name: string, body: object): Promise<void> {
    const path = `${this.#path('deployments')}/${name}`;
    const { status, text } = await this.cluster.admin.ask('PATCH', path, body, 'application/merge-patch+json');
    assert.equal(status, 200, text);
  }

  /** ReplicaSets that were ever made for a Deployment, when its controller has seen it as it is. */
  async rolls(name: string): Promise<number> {
    await this.#observed(name);
    const names = new Set(this.#replicaSets.history.map((seen) => seen.name));
    return [...names].filter((replicaSet) => replicaSet.startsWith(`${name}-`)).length;
  }

  async #observed(name: string): Promise<void> {
    const now: Deployment = JSON.parse(await this.cluster.admin.expect('GET', `${this.#path('deployments')}/${name}`));
    const { generation = 0 } = now.metadata;
    await this.deployments.until(name, (object) => (object?.status?.observedGeneration ?? 0) >= generation);
    // The controller makes the ReplicaSet before it says that it has observed, but the two come over different watches.
    const { items } = JSON.parse(await this.cluster.admin.expect('GET', this.#path('replicasets')));
    for (const { metadata } of items) {
      // One that a former Deployment of the name left may be seen to go before this looks.
      const isSeen = () => this.#replicaSets.history.some(({ name: seen }) => seen === metadata.name);
      await this.#replicaSets.until(metadata.name, isSeen);
    }
  }

  #path(plural: string): string {
    return `/apis/apps/v1/namespaces/${this.namespace}/${plural}`;
  }
}

/** A pod that reads one entry of a Secret into its environment. */
export function env(secret: string, key: string, optional = false) {
  const variable = { name: 'VARIABLE', valueFrom: { secretKeyRef: { name: secret, key, optional } } };
  return { containers: [{ name: 'main', image: 'none', env: [variable] }] };
}
