/** A cluster, a repository of so many manifests behind a git server, and the built operator between them. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../../cluster/cluster.ts';
import { GitHttpServer } from '../../servers/git-http.ts';
import { RunningOperator } from '../running-operator.ts';
import { plaintextManifest, type Workplace } from '../workplace.ts';
import { SecretWatch, type WatchedObject } from './secret-watch.ts';

const DOCKERFILE = join(import.meta.dirname, '../../../deploy/Dockerfile');

export const ENTRIES = 3;
const PER_NAMESPACE = 100;

export function namespaceOf(index: number, perNamespace = PER_NAMESPACE): string {
  return `bench-${Math.floor(index / perNamespace)}`;
}

export function nameOf(index: number): string {
  return `app-${index}`;
}

/** A cluster with the namespaces of so many manifests. */
export async function clusterFor(size: number): Promise<Cluster> {
  const cluster = await startCluster();
  const names = ['coffer-system', ...new Set(Array.from({ length: size }, (_, index) => namespaceOf(index)))];
  await Promise.all(
    names.map((name) => cluster.admin.expect('POST', '/api/v1/namespaces', { metadata: { name } }, [409])),
  );
  return cluster;
}

export const isProjected = ({ metadata }: WatchedObject) => metadata.labels?.['coffer.dev/projected'] === 'true';

const isReady = ({ status }: WatchedObject) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

export class Site {
  readonly size: number;
  readonly folder: string;
  readonly #workplace: Workplace;
  readonly #perNamespace: number;
  readonly #repository: string;
  readonly #server: GitHttpServer;

  private constructor(workplace: Workplace, size: number, perNamespace: number, folder: string, server: GitHttpServer) {
    this.#workplace = workplace;
    this.size = size;
    this.#perNamespace = perNamespace;
    this.folder = folder;
    this.#repository = join(folder, 'repository');
    this.#server = server;
  }

  /** Seals and commits `size` manifests. */
  static async open(workplace: Workplace, size: number, perNamespace = PER_NAMESPACE): Promise<Site> {
    const folder = join(workplace.folder, `kubernetes-${size}`);
    mkdirSync(folder);
    const site = new Site(workplace, size, perNamespace, folder, await GitHttpServer.start({ root: folder }));
    site.#fill();
    writeFileSync(join(folder, 'pins'), workplace.run(workplace.coffer(['recipients', 'list', '--pins'])));
    return site;
  }

  /** Starts the operator for a cluster. `fresh`: with nothing but its keys. */
  start(cluster: Cluster, { fresh }: { fresh: boolean }): RunningOperator {
    if (fresh) for (const name of ['state', 'audit']) rmSync(join(this.folder, name), { recursive: true, force: true });
    const config = {
      apiVersion: 'coffer.dev/v1',
      kind: 'OperatorConfig',
      cluster: 'production',
      state: { directory: join(this.folder, 'state') },
      pins: { file: join(this.folder, 'pins') },
      keys: { directory: this.#workplace.keyDirectory },
      kubernetes: { kubeconfig: cluster.kubeconfig, namespace: 'coffer-system' },
      sources: [{ git: { url: `${this.#server.url}/repository/.git`, allowHttp: true, interval: '1h' } }],
      projections: [{ kubernetesSecrets: { namespaces: ['bench-*'], resync: '1h' } }],
      audit: { directory: join(this.folder, 'audit') },
      serve: { listen: '127.0.0.1:0' },
    };
    const file = join(this.folder, 'operator.yaml');
    writeFileSync(file, JSON.stringify(config, null, 2));
    const program = this.#workplace.operator(['--config', file]);
    return new RunningOperator({ ...program, env: { ...program.env, ...imageEnvironment() } });
  }

  /** Commits another value of one manifest. Resolves to the key of its Secret. */
  change(round: number): string {
    const index = (round * 7) % this.size;
    const value = join(this.folder, 'value');
    writeFileSync(value, `pushed ${round}`);
    const file = join(this.#repository, this.#pathOf(index));
    const { env, program, args } = this.#workplace.coffer(['set', file, 'ENTRY_0', '--from-file', value]);
    this.#workplace.run({ program, args, env, cwd: this.#repository });
    this.#git('commit', '-qam', `Change manifest ${index}`);
    return `${this.#namespaceOf(index)}/${nameOf(index)}`;
  }

  async close(): Promise<void> {
    await this.#server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #fill(): void {
    const [from, to] = [this.#workplace.repository, this.#repository];
    for (const name of ['.git', '.coffer']) cpSync(join(from, name), join(to, name), { recursive: true });
    const files = Array.from({ length: this.size }, (_, index) => join(this.#repository, this.#pathOf(index)));
    for (const [index, file] of files.entries()) {
      if (index % this.#perNamespace === 0) mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, plaintextManifest(nameOf(index), ENTRIES, this.#namespaceOf(index)));
    }
    const { env, program, args } = this.#workplace.coffer(['encrypt', ...files]);
    this.#workplace.run({ program, args, env, cwd: this.#repository });
    this.#git('add', '-A');
    this.#git('commit', '-qm', `Add ${this.size} manifests of ${ENTRIES} values`);
  }

  #namespaceOf(index: number): string {
    return namespaceOf(index, this.#perNamespace);
  }

  #pathOf(index: number): string {
    return join('apps', this.#namespaceOf(index), `${nameOf(index)}.yaml`);
  }

  #git(...args: string[]): void {
    const { program, args: all, env } = this.#workplace.program('git', args);
    this.#workplace.run({ program, args: all, env, cwd: this.#repository });
  }
}

/** What shows that all is done: the Secrets, and the mirrors' status. */
export function watchOutcome(cluster: Cluster): { secrets: SecretWatch; statuses: SecretWatch } {
  return {
    secrets: SecretWatch.start(cluster, '/api/v1/secrets', isProjected),
    statuses: SecretWatch.start(cluster, '/apis/coffer.dev/v1/encryptedsecrets', isReady, true),
  };
}

/** As it is set in the image, where these operators run. */
function imageEnvironment(): Record<string, string> {
  const lines = readFileSync(DOCKERFILE, 'utf8').matchAll(/^ENV (\w+)=(.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name, value]));
}

/** CPU of a process and its threads so far, in milliseconds (Linux: /proc). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond();
}

let ticks: number | undefined;

function ticksPerSecond(): number {
  ticks ??= Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;
  return ticks;
}
