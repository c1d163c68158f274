/** A real node for a cluster of the harness: containerd and kubelet as they are. Root only. See README.md. */

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { findPart, partOrSkip } from '../parts/parts.ts';
import { isServerGone } from './api.ts';
import type { Cluster } from './cluster.ts';
import { CONTAINERD_PARTS, type ContainerdParts, startContainerd } from './containerd.ts';
import { IMAGE } from './image.ts';
import { ownAddress } from './ports.ts';
import { lastWords, type Program, SweptFolder } from './swept-folder.ts';

export { IMAGE } from './image.ts';

export const NODE_PARTS = [...CONTAINERD_PARTS, 'kubelet'] as const;

const REAL_KUBELET = '/var/lib/kubelet/config.yaml';
const READY_MS = 240_000;
const POLL_MS = 100;

export interface Node {
  /**
   * The `nodeName` of its pods. A loopback address, unique on this machine: the API server reaches a kubelet by the
   * node's name, and kubelets refuse loopback as a node's IP.
   */
  readonly name: string;
  readonly cluster: Cluster;
  /** Of kubelet: `plugins/`, `plugins_registry/`, and `pods/UID/volumes/…` as the containers see them. */
  readonly rootDirectory: string;
  /** kubelet's and containerd's logs are here, for when a pod does not start. */
  readonly logs: string;
  /**
   * A pod with one container `main` of `IMAGE` on this node; `spec` adds to its spec, `container` to its container. Applied,
   * not awaited: see `untilRunning`.
   */
  startPod(namespace: string, name: string, more?: { spec?: object; container?: object }): Promise<void>;
  /** Waits until the pod is Running and its containers ready. Rejects with its last Events otherwise. */
  untilRunning(namespace: string, name: string): Promise<void>;
  /** Standard output of a command in the pod's container. */
  exec(namespace: string, pod: string, ...command: string[]): Promise<string>;
  /** Ends its pods, kubelet and containerd; leaves nothing behind. */
  stop(): Promise<void>;
}

/** As `startNode`, and stops it after the test. Marks `t` skipped, loudly, without root or a part. */
export async function nodeOrSkip(t: TestContext, cluster: Cluster): Promise<Node | undefined> {
  if (process.geteuid?.() !== 0) {
    t.skip('SKIPPED: kubelet and containerd need root');
    return undefined;
  }
  if (existsSync(REAL_KUBELET)) {
    t.skip(
      `SKIPPED: this machine is a node of a real cluster (${REAL_KUBELET}), whose device plugins a second kubelet would disturb`,
    );
    return undefined;
  }
  for (const part of NODE_PARTS) if (!(await partOrSkip(t, part))) return undefined;
  const node = await startNode(cluster);
  t.after(() => node.stop());
  return node;
}

/** Starts a node and waits until it is Ready. Rejects with kubelet's last words when it does not become so. */
export async function startNode(cluster: Cluster): Promise<Node> {
  const parts: Record<string, string> = {};
  for (const part of NODE_PARTS) {
    const found = await findPart(part);
    if (!found) throw new Error(`MISSING PART ${part}: see test/parts/README.md`);
    parts[part] = found;
  }
  const folder = await SweptFolder.make('coffer-node-');
  try {
    const socket = await startContainerd(folder, parts as ContainerdParts);
    const node = new RunningNode(cluster, folder);
    const kubelet = await startKubelet(node, folder, parts.kubelet ?? '', socket);
    await node.untilReady(kubelet);
    return node;
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function startKubelet(node: RunningNode, folder: SweptFolder, program: string, socket: string): Promise<Program> {
  const { cluster, name, rootDirectory } = node;
  await mkdir(rootDirectory);
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: name,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: cluster.caFile },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    podLogsDir: join(folder.path, 'pod-logs'),
    volumePluginDir: join(rootDirectory, 'volume-plugins'),
    registerNode: true,
    // A volume whose CSIDriver asks for it is republished at each sync: by default a minute apart.
    syncFrequency: '10s',
  };
  const file = join(folder.path, 'kubelet.json');
  await writeFile(file, JSON.stringify(config));
  const kubeconfig = await cluster.kubeconfigFor({ name: `system:node:${name}`, groups: ['system:nodes'] });
  return folder.start('kubelet', program, [
    ...['--config', file, '--kubeconfig', kubeconfig, '--root-dir', rootDirectory],
    ...['--cert-dir', join(folder.path, 'pki'), '--hostname-override', name],
  ]);
}

class RunningNode implements Node {
  readonly name = ownAddress();
  readonly cluster: Cluster;
  readonly rootDirectory: string;
  readonly logs: string;
  readonly #folder: SweptFolder;

  constructor(cluster: Cluster, folder: SweptFolder) {
    this.cluster = cluster;
    this.#folder = folder;
    this.rootDirectory = join(folder.path, 'kubelet');
    this.logs = join(folder.path, 'logs');
  }

  async untilReady(kubelet: Program): Promise<void> {
    const deadline = performance.now() + READY_MS;
    while (!(await this.#has(`/api/v1/nodes/${this.name}`, 'Ready'))) {
      if (kubelet.hasEnded() || performance.now() > deadline) throw new Error(await lastWords(kubelet));
      await setTimeout(POLL_MS);
    }
  }

  async startPod(namespace: string, name: string, more: { spec?: object; container?: object } = {}): Promise<void> {
    const container = { name: 'main', image: IMAGE, imagePullPolicy: 'Never', ...more.container };
    const spec = {
      nodeName: this.name,
      // There is no network for pods but the machine's own.
      hostNetwork: true,
      terminationGracePeriodSeconds: 0,
      containers: [container],
      ...more.spec,
    };
    await this.cluster.admin.expect('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name }, spec });
  }

  async untilRunning(namespace: string, name: string): Promise<void> {
    const deadline = performance.now() + READY_MS;
    while (!(await this.#has(`/api/v1/namespaces/${namespace}/pods/${name}`, 'Ready'))) {
      if (performance.now() > deadline) {
        const events = await this.cluster.kubectl(
          'get',
          'events',
          '-n',
          namespace,
          `--field-selector=involvedObject.name=${name}`,
        );
        throw new Error(`pod ${namespace}/${name} does not run:\n${events}`);
      }
      await setTimeout(POLL_MS);
    }
  }

  exec(namespace: string, pod: string, ...command: string[]): Promise<string> {
    return this.cluster.kubectl('exec', '-n', namespace, pod, '-c', 'main', '--', ...command);
  }

  async stop(): Promise<void> {
    await this.#forget().catch((error: unknown) => {
      // A cluster that a test has stopped knows its nodes no more.
      if (!isServerGone(error)) throw error;
    });
    await this.#folder.remove();
  }

  /** Without this its pods would be Terminating for ever, and their namespaces with them. */
  async #forget(): Promise<void> {
    const { admin } = this.cluster;
    const pods: PodList = JSON.parse(
      await admin.expect('GET', `/api/v1/pods?fieldSelector=spec.nodeName%3D${this.name}`),
    );
    for (const { metadata } of pods.items) {
      const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}?gracePeriodSeconds=0`;
      await admin.expect('DELETE', path, undefined, [404]);
    }
    await admin.expect('DELETE', `/api/v1/nodes/${this.name}`, undefined, [404]);
  }

  async #has(path: string, condition: string): Promise<boolean> {
    const { status, text } = await this.cluster.admin.ask('GET', path);
    if (status !== 200) return false;
    const object: Conditioned = JSON.parse(text);
    return object.status?.conditions?.some(({ type, status }) => type === condition && status === 'True') ?? false;
  }
}

interface PodList {
  items: { metadata: { namespace: string; name: string } }[];
}

interface Conditioned {
  status?: { conditions?: { type: string; status: string }[] };
}
