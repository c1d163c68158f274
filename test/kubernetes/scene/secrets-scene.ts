/** The projector of Secrets on a real API server, with what the reconciler does for it done by hand. */
import type { TestContext } from 'node:test';
import type { Entry, Manifest } from '../../../core/format/manifest/manifest.ts';
import type { KubeClient } from '../../../operator/kubernetes/client.ts';
import { type Namespaces, openNamespaces } from '../../../operator/kubernetes/namespaces.ts';
import { RESOURCES } from '../../../operator/kubernetes/resource.ts';
import type { AppliedWorkload, Projector, Provenance } from '../../../operator/project/projector.ts';
import { openDigestKey } from '../../../operator/project/secrets/digest-key.ts';
import { openSecretsProjector } from '../../../operator/project/secrets/open-secrets-projector.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../../cluster/shared.ts';
import { connectTo } from './connect.ts';
import { Onlooker } from './onlooker.ts';
import { holds, type SecretObject } from './secret-texts.ts';

/** What a manifest gives: `data` is what its sealed values open to. */
export interface Wanted {
  name?: string;
  data: Record<string, string>;
  type?: string;
  deletionPolicy?: 'Retain';
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Scope cluster. */
  namespaces?: string[];
  object?: Provenance['object'];
  projection?: 'Volume';
}

export class SecretsScene {
  readonly cluster: Cluster;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly secrets: Onlooker<SecretObject>;
  /** What was opened, by name: each is a decryption that the reconciler would record. */
  readonly opened: string[] = [];
  /** How each opening since ended. */
  readonly results: AppliedWorkload[] = [];
  /** What git holds. */
  readonly wanted = new Map<string, Wanted>();
  readonly #t: TestContext;
  #namespaces: readonly string[];
  #healing = Promise.resolve();

  private constructor(
    t: TestContext,
    cluster: Cluster,
    client: KubeClient,
    namespace: string,
    secrets: Onlooker<SecretObject>,
  ) {
    this.#t = t;
    this.cluster = cluster;
    this.client = client;
    this.namespace = namespace;
    this.secrets = secrets;
    this.#namespaces = [namespace];
  }

  static async open(t: TestContext): Promise<SecretsScene | undefined> {
    const cluster = await sharedCluster(t);
    if (cluster === undefined) return undefined;
    const namespace = await newNamespace(t, cluster, 'secrets');
    const client = await connectTo(t, cluster.kubeconfig, { namespace });
    return new SecretsScene(
      t,
      cluster,
      client,
      namespace,
      await Onlooker.open(t, client, RESOURCES.secrets, namespace),
    );
  }

  /** More namespaces that the configuration allows. */
  async addNamespace(): Promise<string> {
    const namespace = await newNamespace(this.#t, this.cluster, 'secrets');
    this.#namespaces = [...this.#namespaces, namespace];
    return namespace;
  }

  /** Starts a projector that heals as the operator does; each has the operator's namespace in common. */
  async start(
    options: { now?: () => number; client?: KubeClient } & Partial<Pick<Namespaces, 'names' | 'isTerminating'>> = {},
  ): Promise<Projector> {
    const client = options.client ?? this.client;
    const ending = new AbortController();
    const seen = openNamespaces(client, this.#namespaces);
    const running = seen.run(ending.signal);
    const { names = () => seen.names(), isTerminating = (name) => seen.isTerminating(name) } = options;
    const namespaces: Namespaces = {
      names,
      isTerminating,
      isConfigured: (name) => seen.isConfigured(name),
      onChange: (listener) => seen.onChange(listener),
      run: (signal) => seen.run(signal),
      synced: seen.synced,
      trouble: undefined,
    };
    this.#t.after(async () => {
      ending.abort();
      await running;
    });
    const digestKey = await openDigestKey(client);
    const projector = await openSecretsProjector(
      { namespaces: this.#namespaces, readers: false, restart: false, resync: 600_000 },
      { client, namespaces, digestKey, signal: ending.signal, ...(options.now ? { now: options.now } : {}) },
    );
    const heal = () => {
      this.#healing = this.#healing.then(() =>
        projector.heal((_, name) => this.project(projector, name).then(() => {}), 'disturbed'),
      );
    };
    projector.onDisturbed(heal);
    this.#t.after(async () => {
      projector.onDisturbed(() => {});
      await this.#healing;
      await projector.close();
    });
    return projector;
  }

  /** When all that was seen to be disturbed until now is put right. */
  healed(): Promise<void> {
    return this.#healing;
  }

  /** What a commit brings. */
  async push(projector: Projector, wanted: Wanted): Promise<AppliedWorkload[]> {
    const { name = 'db' } = wanted;
    this.wanted.set(name, wanted);
    return this.project(projector, name);
  }

  async project(projector: Projector, name: string): Promise<AppliedWorkload[]> {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return [];
    const manifest = manifestOf(this.namespace, name, wanted);
    const provenance = {
      source: 'git',
      path: `${name}.yaml`,
      index: 0,
      ...(wanted.object ? { object: wanted.object } : {}),
    };
    const audience = projector.audience(manifest);
    if (projector.isCurrent?.({ secret: manifest, audience, provenance })) return [];
    await projector.prepare?.([{ secret: manifest, audience, provenance }]);
    this.opened.push(name);
    const values = new Map(Object.entries(wanted.data).map(([entry, value]) => [entry, Buffer.from(value)]));
    const results = await projector.apply(manifest, audience, values, provenance);
    this.results.push(...results);
    return results;
  }

  /** Resolves when a watcher sees just these entries. */
  async secretIs(name: string, data: Record<string, string>): Promise<SecretObject> {
    const found = await this.secrets.until(name, (secret) => holds(secret, data), JSON.stringify(data));
    if (found === undefined) throw new Error('gone');
    return found;
  }

  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl('-n', this.namespace, ...args);
  }
}

/** The projector never sees what a value opens to but by `apply`: a text that differs with it stands for the sealed one. */
function manifestOf(namespace: string, name: string, wanted: Wanted): Manifest {
  const entries = Object.entries(wanted.data).map(([entry, value]): [string, Entry] => {
    const text = `CF[1:${Buffer.from(value).toString('base64url')}]`;
    return [entry, { kind: 'sealed', text, dataKeyId: 'key', line: 1 }];
  });
  const { type = 'Opaque', deletionPolicy = 'Delete', projection = 'Secret', namespaces = [] } = wanted;
  const scope = namespaces.length > 0 ? 'cluster' : 'strict';
  const manifest: Omit<Manifest, 'document'> = {
    file: `${name}.yaml`,
    index: 0,
    line: 1,
    namespace,
    name,
    binding: { scope, namespace, name },
    recipients: ['production'],
    namespaces,
    readers: [{ name: '*' }],
    type,
    deletionPolicy,
    projection,
    entries: new Map(entries),
    stanzas: new Map(),
    template: {
      data: new Map(),
      labels: new Map(Object.entries(wanted.labels ?? {})),
      annotations: new Map(Object.entries(wanted.annotations ?? {})),
    },
    rotation: new Map(),
  };
  return manifest as Manifest;
}
