/** A Kubernetes cluster for tests: etcd, kube-apiserver and kube-controller-manager as they are. See README.md. */

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPart } from '../parts/parts.ts';
import type { PartName } from '../parts/recipes.ts';
import { AdminApi } from './api.ts';
import { makeCertificates } from './certificates.ts';
import {
  CONTROLLERS,
  type ControlPlaneParts,
  startApiServer,
  startControllerManager,
  startEtcd,
  untilReady,
} from './control-plane.ts';
import { installKinds } from './crds.ts';
import { freePorts } from './ports.ts';
import { type Program, SweptFolder } from './swept-folder.ts';
import { ADMIN, tokenOf, type User, writeKubeconfig, writeTokens } from './users.ts';

export type { User } from './users.ts';

const run = promisify(execFile);

export const CLUSTER_PARTS = ['openssl', 'etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;

const ATTEMPTS = 4;
const PORT_LOST = /address already in use/;

export interface ClusterOptions {
  /** Of the controller manager; false: none, and namespaces are then never emptied. Absent: `CONTROLLERS`. */
  controllers?: readonly string[] | false;
  /** Whether the project's CRDs and policies are installed. Absent: yes. */
  installCrds?: boolean;
  /** Where to make the cluster's folder; must not exist. Absent: among the temporary files. */
  directory?: string;
}

/** A running cluster, started by this process or joined. */
export interface Cluster {
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  readonly caFile: string;
  /** Path of the administrator's. */
  readonly kubeconfig: string;
  readonly directory: string;
  /** Whether a controller manager runs. */
  readonly hasControllers: boolean;
  /** For what a test asks without a client library. */
  readonly admin: AdminApi;
  /** Standard output of kubectl as administrator; rejects with its standard error. */
  kubectl(...args: string[]): Promise<string>;
  /** Path of a kubeconfig with which RBAC judges somebody. */
  kubeconfigFor(user: User): Promise<string>;
  /** As a crash would. Not for a cluster that was joined: others use it. */
  stopApiServer(): Promise<void>;
  /** With the same port and the same data. */
  startApiServer(): Promise<void>;
  /** Every former revision goes: a watch from one gets 410. */
  compactEtcd(): Promise<void>;
  /** Leaves nothing behind. Of one that was joined: only leaves it. */
  stop(): Promise<void>;
}

/** What a process needs to join, in `cluster.json` of the cluster's folder. */
interface ClusterNote {
  server: string;
  etcd: number;
  hasControllers: boolean;
}

/** Starts a cluster. Rejects when a part is missing (`CLUSTER_PARTS`) or says why it cannot start. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const parts = await requireParts();
  const folder = await SweptFolder.make('coffer-cluster-', options.directory);
  try {
    await Promise.all([makeCertificates(folder.path), writeTokens(folder.path)]);
    return await startIn(folder, parts, options);
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Joins a cluster that another process runs, by its folder. */
export async function joinCluster(directory: string): Promise<Cluster> {
  const note: ClusterNote = JSON.parse(await readFile(join(directory, 'cluster.json'), 'utf8'));
  const cluster = new RunningCluster(directory, note, await adminOf(directory, note.server));
  await untilReady(cluster.admin);
  await installKinds(directory, cluster.kubectl);
  return cluster;
}

async function startIn(folder: SweptFolder, parts: ControlPlaneParts, options: ClusterOptions): Promise<Cluster> {
  const controllers = options.controllers ?? CONTROLLERS;
  const { note, admin, startServer } = await startServers(folder, parts, controllers !== false);
  await writeFile(join(folder.path, 'cluster.json'), JSON.stringify(note));
  const cluster = new RunningCluster(folder.path, note, admin, { folder, ...startServer });
  await writeFile(cluster.kubeconfig, await readFile(await cluster.kubeconfigFor({ name: ADMIN })), { mode: 0o600 });
  if (controllers) startControllerManager(folder, parts['kube-controller-manager'], cluster.kubeconfig, controllers);
  if (options.installCrds !== false) await installKinds(folder.path, cluster.kubectl);
  return cluster;
}

/** Somebody may take a port between our look and the server's start: then with others, from an empty etcd. */
async function startServers(folder: SweptFolder, parts: ControlPlaneParts, hasControllers: boolean) {
  for (let attempt = 1; ; attempt++) {
    const [etcd = 0, etcdPeer = 0, server = 0] = await freePorts(3);
    const ports = { etcd, etcdPeer, server };
    const note: ClusterNote = { server: `https://127.0.0.1:${server}`, etcd, hasControllers };
    const admin = await adminOf(folder.path, note.server);
    const store = startEtcd(folder, parts.etcd, ports);
    const start = () => startApiServer(folder, parts['kube-apiserver'], ports);
    const program = start();
    try {
      await untilReady(admin, program, store);
      return { note, admin, startServer: { program, start } };
    } catch (error) {
      await Promise.all([program.kill(), store.kill()]);
      if (attempt === ATTEMPTS || !PORT_LOST.test(String(error))) throw error;
    }
  }
}

class RunningCluster implements Cluster {
  readonly server: string;
  readonly caFile: string;
  readonly kubeconfig: string;
  readonly directory: string;
  readonly hasControllers: boolean;
  readonly admin: AdminApi;
  readonly #note: ClusterNote;
  readonly #own: { folder: SweptFolder; program: Program; start: () => Program } | undefined;

  constructor(
    directory: string,
    note: ClusterNote,
    admin: AdminApi,
    own?: { folder: SweptFolder; program: Program; start: () => Program },
  ) {
    this.directory = directory;
    this.server = note.server;
    this.caFile = join(directory, 'ca.crt');
    this.kubeconfig = join(directory, 'kubeconfig');
    this.hasControllers = note.hasControllers;
    this.admin = admin;
    this.#note = note;
    this.#own = own;
  }

  readonly kubectl = async (...args: string[]): Promise<string> => {
    const kubectl = await requirePart('kubectl');
    const options = { maxBuffer: 256 * 1024 * 1024, env: { PATH: process.env.PATH, HOME: this.directory } };
    const { stdout } = await run(kubectl, ['--kubeconfig', this.kubeconfig, ...args], options);
    return stdout;
  };

  kubeconfigFor(user: User): Promise<string> {
    return writeKubeconfig(this, this.admin, user);
  }

  async stopApiServer(): Promise<void> {
    await this.#owned().program.kill();
  }

  async startApiServer(): Promise<void> {
    const own = this.#owned();
    own.program = own.start();
    await untilReady(this.admin, own.program);
  }

  async compactEtcd(): Promise<void> {
    const { header } = await this.#askEtcd('range', { key: Buffer.from('/').toString('base64') });
    await this.#askEtcd('compaction', { revision: header.revision, physical: true });
  }

  async stop(): Promise<void> {
    this.admin.close();
    await this.#own?.folder.remove();
  }

  #owned() {
    if (!this.#own) throw new Error('other tests use this cluster: start one of your own with startCluster()');
    return this.#own;
  }

  /** The JSON gateway of etcd's client port. */
  async #askEtcd(call: string, body: object): Promise<{ header: { revision: string } }> {
    const url = `http://127.0.0.1:${this.#note.etcd}/v3/kv/${call}`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd ${call}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  }
}

async function adminOf(directory: string, server: string): Promise<AdminApi> {
  return new AdminApi(server, join(directory, 'ca.crt'), await tokenOf(directory, ADMIN));
}

async function requireParts(): Promise<ControlPlaneParts> {
  const [etcd, apiServer, controllers] = await Promise.all([
    requirePart('etcd'),
    requirePart('kube-apiserver'),
    requirePart('kube-controller-manager'),
    requirePart('kubectl'),
  ]);
  return { etcd, 'kube-apiserver': apiServer, 'kube-controller-manager': controllers };
}

async function requirePart(name: PartName): Promise<string> {
  const found = await findPart(name);
  if (!found) throw new Error(`MISSING PART ${name}: see test/parts/README.md`);
  return found;
}
