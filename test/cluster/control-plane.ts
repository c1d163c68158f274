import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { AdminApi } from './api.ts';
import { lastWords, type Program, type SweptFolder } from './swept-folder.ts';

export interface ControlPlanePorts {
  etcd: number;
  etcdPeer: number;
  server: number;
}

export interface ControlPlaneParts {
  etcd: string;
  'kube-apiserver': string;
  'kube-controller-manager': string;
}

/** What a projected Secret's life depends on; among others no scheduler: give a pod its `nodeName`. */
export const CONTROLLERS = [
  'namespace-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'garbage-collector-controller',
  'resourcequota-controller',
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'daemonset-controller',
  'job-controller',
  'validatingadmissionpolicy-status-controller',
];

export const ISSUER = 'https://kubernetes.default.svc';
const READY_MS = 240_000;
const POLL_MS = 50;

export function startEtcd(folder: SweptFolder, program: string, ports: ControlPlanePorts): Program {
  const [client, peer] = [`http://127.0.0.1:${ports.etcd}`, `http://127.0.0.1:${ports.etcdPeer}`];
  return folder.start('etcd', program, [
    ...['--data-dir', join(folder.path, 'etcd')],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
    // Nobody pulls this machine's plug in the middle of a test.
    '--unsafe-no-fsync',
    ...['--quota-backend-bytes', String(4 * 1024 ** 3), '--log-level', 'warn'],
  ]);
}

export function startApiServer(folder: SweptFolder, program: string, ports: ControlPlanePorts): Program {
  const file = (name: string) => join(folder.path, name);
  return folder.start('kube-apiserver', program, [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    ...['--bind-address=127.0.0.1', `--secure-port=${ports.server}`, '--service-cluster-ip-range=10.0.0.0/24'],
    ...[`--tls-cert-file=${file('server.crt')}`, `--tls-private-key-file=${file('server.key')}`],
    ...[`--client-ca-file=${file('ca.crt')}`, `--token-auth-file=${file('tokens.csv')}`],
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${file('service-accounts.pub')}`,
    `--service-account-signing-key-file=${file('service-accounts.key')}`,
    ...['--authorization-mode=Node,RBAC', '--allow-privileged=true', '--endpoint-reconciler-type=none'],
    ...[`--kubelet-client-certificate=${file('server.crt')}`, `--kubelet-client-key=${file('server.key')}`],
    // Nodes are named by the loopback address of their kubelet, see node.ts.
    '--kubelet-preferred-address-types=Hostname',
  ]);
}

export function startControllerManager(
  folder: SweptFolder,
  program: string,
  kubeconfig: string,
  controllers: readonly string[],
): Program {
  return folder.start('kube-controller-manager', program, [
    ...[
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--controllers=${controllers.join(',')}`,
    ],
    ...[`--root-ca-file=${join(folder.path, 'ca.crt')}`, '--concurrent-namespace-syncs=10'],
    `--service-account-private-key-file=${join(folder.path, 'service-accounts.key')}`,
  ]);
}

/**
 * Waits until `/readyz` says so. Rejects with the program's last words when one ends first (an API server whose etcd lost its
 * port might else serve from somebody else's), or when it takes minutes.
 */
export async function untilReady(api: AdminApi, ...programs: readonly Program[]): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const ready = await isReady(api);
    const ended = programs.find((program) => program.hasEnded());
    if (ended) throw new Error(await lastWords(ended));
    if (ready) return;
    if (performance.now() > deadline) {
      const words = await Promise.all(programs.map(lastWords));
      throw new Error(['the API server is not ready after minutes', ...words].join('\n'));
    }
    await setTimeout(POLL_MS);
  }
}

async function isReady(api: AdminApi): Promise<boolean> {
  return api.ask('GET', '/readyz').then(
    ({ status }) => status === 200,
    () => false,
  );
}
