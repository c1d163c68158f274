/** The sealed-secrets controller over as many SealedSecrets, with its client's rate limit lifted. Root: it reads fixed paths. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Cluster } from '../../cluster/cluster.ts';
import { freePorts } from '../../cluster/ports.ts';
import { tokenOf } from '../../cluster/users.ts';
import { findPart } from '../../parts/parts.ts';
import type { Cost } from '../measure.ts';
import type { Kubeseal } from '../peers.ts';
import { plaintextSecret, type Workplace } from '../workplace.ts';
import { SecretWatch } from './secret-watch.ts';
import { clusterFor, cpuOf, ENTRIES, nameOf, namespaceOf } from './site.ts';

const MODULE = join(import.meta.dirname, '../../parts/sealed-secrets');
const KEY_LABEL = 'sealedsecrets.bitnami.com/sealed-secrets-key';
/** Where client-go looks for the credentials of a pod; /run is replaced in a mount namespace of the controller's own. */
const IN_CLUSTER = `mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io &&
  cp -r "$1" /run/secrets/kubernetes.io/serviceaccount && shift && exec "$@"`;

/** Cost from the start of the controller until all Secrets are there; undefined where it cannot be run. */
export async function measureController(
  workplace: Workplace,
  kubeseal: Kubeseal | undefined,
  size: number,
): Promise<Cost | undefined> {
  const controller = await findPart('controller');
  if (!controller || !kubeseal || process.geteuid?.() !== 0) return undefined;
  const cluster = await clusterFor(size);
  try {
    await cluster.kubectl('apply', '--server-side', '-f', customResourceDefinition());
    await cluster.kubectl('wait', '--for=condition=Established', 'crd/sealedsecrets.bitnami.com', '--timeout=30s');
    await giveKey(cluster, kubeseal);
    await applyAll(cluster, seal(workplace, kubeseal, size));
    return await run(workplace, controller, cluster, size);
  } finally {
    await cluster.stop();
  }
}

async function run(workplace: Workplace, controller: string, cluster: Cluster, size: number): Promise<Cost> {
  const credentials = join(workplace.folder, 'controller-account');
  mkdirSync(credentials, { recursive: true });
  writeFileSync(join(credentials, 'token'), await tokenOf(cluster.directory, 'admin'));
  writeFileSync(join(credentials, 'ca.crt'), readFileSync(cluster.caFile));
  writeFileSync(join(credentials, 'namespace'), 'kube-system');
  const secrets = SecretWatch.start(cluster, '/api/v1/secrets', () => true);
  const [http, metrics] = await freePorts(2);
  const { hostname, port } = new URL(cluster.server);
  const log = openSync(join(workplace.folder, 'controller.log'), 'w');
  const flags = [
    '--kubeclient-qps=-1',
    `--listen-addr=127.0.0.1:${http}`,
    `--listen-metrics-addr=127.0.0.1:${metrics}`,
  ];
  const command = ['-c', IN_CLUSTER, 'sh', credentials, controller, ...flags];
  const began = performance.now();
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', ...command], {
    env: { PATH: process.env.PATH, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    stdio: ['ignore', log, log],
  });
  try {
    const failed = once(child, 'exit').then(() => {
      throw new Error(
        `the controller ended: ${readFileSync(join(workplace.folder, 'controller.log'), 'utf8').slice(-2000)}`,
      );
    });
    const ended = await Promise.race([secrets.until(size), failed]);
    failed.catch(() => undefined);
    return { wall: ended - began, cpu: cpuOf(child.pid ?? 0) };
  } finally {
    child.kill('SIGKILL');
  }
}

async function giveKey(cluster: Cluster, kubeseal: Kubeseal): Promise<void> {
  const base64 = (file: string) => readFileSync(file).toString('base64');
  await cluster.admin.expect('POST', '/api/v1/namespaces/kube-system/secrets', {
    metadata: { name: 'sealed-secrets-key', labels: { [KEY_LABEL]: 'active' } },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(kubeseal.certificate), 'tls.key': base64(kubeseal.privateKey) },
  });
}

/** A file with one SealedSecret a line. */
function seal(workplace: Workplace, kubeseal: Kubeseal, size: number): string {
  const documents = Array.from({ length: size }, (_, index) =>
    plaintextSecret(nameOf(index), ENTRIES, namespaceOf(index)),
  );
  const [input, output] = ['kubernetes-plain.yaml', 'kubernetes-sealed.json'].map((name) =>
    join(workplace.folder, name),
  );
  if (!input || !output) throw new Error('no names');
  writeFileSync(input, documents.join('---\n'));
  const args = ['--cert', kubeseal.certificate, '-o', 'json'];
  const { status, stderr } = spawnSync(kubeseal.program, args, {
    stdio: [openSync(input, 'r'), openSync(output, 'w'), 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`kubeseal: ${stderr}`);
  return output;
}

/** kubeseal prints indented JSON documents, one after the other: each ends with a line that is a brace. */
async function applyAll(cluster: Cluster, file: string): Promise<void> {
  let text = '';
  let pending: Promise<unknown>[] = [];
  for await (const line of createInterface(createReadStream(file))) {
    text += `${line}\n`;
    if (line !== '}') continue;
    const object: { metadata: { namespace: string } } = JSON.parse(text);
    text = '';
    const path = `/apis/bitnami.com/v1alpha1/namespaces/${object.metadata.namespace}/sealedsecrets`;
    pending.push(cluster.admin.expect('POST', path, object));
    if (pending.length < 16) continue;
    await Promise.all(pending);
    pending = [];
  }
  await Promise.all(pending);
}

function customResourceDefinition(): string {
  const args = ['list', '-m', '-f', '{{.Dir}}', 'github.com/bitnami/sealed-secrets'];
  const { stdout } = spawnSync('go', args, { cwd: MODULE, encoding: 'utf8' });
  return join(stdout.trim(), 'helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml');
}
