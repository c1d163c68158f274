/**
 * A cluster with the real operator in it, for tests: a repository and keys as `Site` makes them, namespaces of their own, the operator
 * as a process that projects into these, and somebody who watches what it does there.
 */
import type { TestContext } from 'node:test';
import type { KubeClient } from '../../../operator/kubernetes/client.ts';
import { type KubeObject, RESOURCES, type Resource } from '../../../operator/kubernetes/resource.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../../cluster/shared.ts';
import { type OperatorProcess, Site, type SiteOptions } from '../../operator/site.ts';
import type { WantedManifest } from '../../support/secrets.ts';
import { connectTo } from './connect.ts';
import { Onlooker } from './onlooker.ts';
import { holds, type SecretObject } from './secret-texts.ts';

export interface StageOptions extends Omit<SiteOptions, 'cluster' | 'projection'> {
  /** Absent: the one that all tests share. */
  kubernetesCluster?: Cluster;
  /** Namespaces `app1`, `app2`, … that the operator may write in. Absent: one. */
  apps?: number;
  /** Path; absent: the administrator's, straight to the server. */
  kubeconfig?: string;
  /** Of `kubernetesSecrets`, beside its namespaces. */
  secrets?: Record<string, unknown>;
  /** Of `kubernetes`. */
  kubernetes?: Record<string, unknown>;
  /** Beside the git repository. */
  sources?: readonly object[];
  projections?: readonly object[];
  /** More of the operator's configuration. */
  configuration?: Record<string, unknown>;
}

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration?: number;
}

export interface EncryptedSecretObject extends KubeObject {
  spec?: Record<string, unknown>;
  status?: { conditions?: Condition[]; commit?: string; [field: string]: unknown };
}

type ManifestWish = Omit<WantedManifest, 'to' | 'namespace'> & { namespace?: string; to?: WantedManifest['to'] };

export class KubernetesStage {
  readonly cluster: Cluster;
  /** The administrator's. */
  readonly client: KubeClient;
  readonly site: Site;
  /** The operator's own namespace. */
  readonly home: string;
  /** Where it may write. */
  readonly apps: readonly string[];
  readonly operators: OperatorProcess[] = [];
  readonly #t: TestContext;
  readonly #onlookers = new Map<string, Promise<Onlooker<KubeObject>>>();

  private constructor(t: TestContext, parts: Pick<KubernetesStage, 'cluster' | 'client' | 'site' | 'home' | 'apps'>) {
    this.#t = t;
    this.cluster = parts.cluster;
    this.client = parts.client;
    this.site = parts.site;
    this.home = parts.home;
    this.apps = parts.apps;
  }

  /** `undefined`: parts are missing, and the test is marked skipped. */
  static async open(t: TestContext, options: StageOptions = {}): Promise<KubernetesStage | undefined> {
    const cluster = options.kubernetesCluster ?? (await sharedCluster(t));
    if (cluster === undefined) return undefined;
    const [home = '', ...apps] = await Promise.all(
      ['coffer', ...Array.from({ length: options.apps ?? 1 }, () => 'app')].map((prefix) =>
        newNamespace(t, cluster, prefix),
      ),
    );
    const client = await connectTo(t, cluster.kubeconfig, { namespace: home });
    const site = await Site.open(t, options);
    const stage = new KubernetesStage(t, { cluster, client, site, home, apps });
    stage.configure(options);
    return stage;
  }

  /** The first of the namespaces that the operator may write in. */
  get app(): string {
    const [first] = this.apps;
    if (first === undefined) throw new Error('a stage without namespaces');
    return first;
  }

  configure({
    kubeconfig = this.cluster.kubeconfig,
    secrets = {},
    kubernetes = {},
    sources = [],
    projections = [],
    interval = '1h',
    git = {},
    configuration = {},
  }: StageOptions = {}): void {
    this.site.configure({
      kubernetes: { kubeconfig, namespace: this.home, ...kubernetes },
      sources: [{ git: { url: 'repository', interval, ...git } }, ...sources],
      projections: [{ kubernetesSecrets: { namespaces: this.apps, ...secrets } }, ...projections],
      ...configuration,
    });
  }

  /** A manifest of the first namespace, sealed to the stage's cluster. */
  manifest(wanted: ManifestWish): string {
    return this.site.manifest({ namespace: this.app, ...wanted });
  }

  /** The same as files of a commit: each in one of its name. */
  files(...wanted: readonly ManifestWish[]): Record<string, string> {
    return Object.fromEntries(wanted.map((one) => [`${one.name}.yaml`, this.manifest(one)]));
  }

  /** Commits; a running operator finds it when it polls or is woken. */
  commit(files: Record<string, string | null>): Promise<string> {
    return this.site.tree.commit(files);
  }

  /** Commits and waits until the operator has done its work. */
  push(operator: OperatorProcess, files: Record<string, string | null>): Promise<string> {
    return this.site.push(operator, files);
  }

  /** Starts the operator. Resolves when it listens; what it found at its start is not projected by then. */
  async start(): Promise<OperatorProcess> {
    const operator = await this.site.start();
    this.operators.push(operator);
    return operator;
  }

  /** Starts it, and waits until what git holds is projected. */
  async startAndProject(): Promise<OperatorProcess> {
    const operator = await this.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    return operator;
  }

  /** Without waiting for anything. */
  spawn(...args: string[]): OperatorProcess {
    const operator = this.site.spawn(...args);
    this.operators.push(operator);
    return operator;
  }

  /** Who watches one kind in a namespace from now on. */
  watch<T extends KubeObject>(resource: Resource, namespace: string): Promise<Onlooker<T>> {
    const key = `${namespace}/${resource.plural}`;
    const known = this.#onlookers.get(key) ?? Onlooker.open<KubeObject>(this.#t, this.client, resource, namespace);
    this.#onlookers.set(key, known);
    return known as Promise<Onlooker<T>>;
  }

  secrets(namespace: string = this.app): Promise<Onlooker<SecretObject>> {
    return this.watch(RESOURCES.secrets, namespace);
  }

  /** Resolves when a watcher sees just these entries (values as text), or nothing where they are undefined. */
  async secretIs(namespace: string, name: string, entries: Record<string, string> | undefined): Promise<void> {
    const secrets = await this.secrets(namespace);
    const answers = (secret: SecretObject | undefined) =>
      entries === undefined ? secret === undefined : holds(secret, entries);
    await secrets.until(name, answers, JSON.stringify(entries) ?? 'nothing');
  }

  /** Resolves to a condition of an EncryptedSecret when it has that status (and reason). */
  async condition(
    namespace: string,
    name: string,
    type: string,
    wanted: { status: string; reason?: string },
  ): Promise<Condition> {
    const objects = await this.watch<EncryptedSecretObject>(RESOURCES.encryptedSecrets, namespace);
    const find = (object: EncryptedSecretObject | undefined) =>
      object?.status?.conditions?.find(
        (condition) =>
          condition.type === type &&
          condition.status === wanted.status &&
          (wanted.reason === undefined || condition.reason === wanted.reason),
      );
    const object = await objects.until(name, (seen) => find(seen) !== undefined, `${type} ${JSON.stringify(wanted)}`);
    const condition = find(object);
    if (condition === undefined) throw new Error(`${name} has no condition ${type}`);
    return condition;
  }

  async statusOf(namespace: string, name: string): Promise<EncryptedSecretObject['status']> {
    const object = await this.client.get<EncryptedSecretObject>(RESOURCES.encryptedSecrets, { namespace, name });
    return object?.status;
  }

  /** kubectl in a namespace of the stage, the first where none is named. */
  kubectl(...args: string[]): Promise<string> {
    const isPlaced = args.includes('-n') || args.includes('-A');
    return this.cluster.kubectl(...(isPlaced ? [] : ['-n', this.app]), ...args);
  }

  /**
   * Where any of these texts is found, in any usual encoding, among all that the operator said: logs, files, endpoints, and every
   * object of the stage's namespaces but the entries of Secrets.
   */
  async leaks(canaries: readonly string[]): Promise<string[]> {
    const needles = canaries.flatMap(encodings);
    const found: string[] = [];
    for await (const { where, bytes } of this.#said()) {
      if (needles.some((needle) => bytes.includes(needle))) found.push(where);
    }
    return found;
  }

  async *#said(): AsyncIterable<{ where: string; bytes: Buffer }> {
    for (const [index, operator] of this.operators.entries()) {
      yield { where: `log of operator ${index}`, bytes: Buffer.from(operator.output) };
      if (operator.child.exitCode !== null || operator.child.signalCode !== null) continue;
      for (const path of ['/status', '/metrics', '/readyz', '/healthz']) {
        yield { where: path, bytes: Buffer.from(await operator.get(path)) };
      }
    }
    for (const { path, bytes } of this.site.files()) yield { where: path, bytes };
    const kinds = ['events', 'configMaps', 'leases', 'encryptedSecrets', 'secretReaders', 'secrets'] as const;
    for (const namespace of [this.home, ...this.apps]) {
      for (const kind of kinds) {
        const { items } = await this.client.list<SecretObject>(RESOURCES[kind], { namespace });
        for (const { data, ...object } of items) {
          const told = kind === 'secrets' ? object : { ...object, data };
          yield { where: `${kind} ${namespace}/${object.metadata.name}`, bytes: Buffer.from(JSON.stringify(told)) };
        }
      }
    }
  }
}

function encodings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  // Base64 of a text inside another depends on where it begins; without its ends it is the same.
  const shifted = [0, 1, 2].map((shift) => {
    const padded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return padded.slice(shift === 0 ? 0 : shift + 1, -2);
  });
  const texts = [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), bytes.toString('hex'), ...shifted];
  return [...new Set(texts)].map((one) => Buffer.from(one));
}
