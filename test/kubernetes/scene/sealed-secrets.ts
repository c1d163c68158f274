/** The real sealed-secrets controller and kubeseal, on a cluster that has others in it. Root: client-go reads a pod's credentials from fixed paths. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { RESOURCES } from '../../../operator/kubernetes/resource.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { ownAddress } from '../../cluster/ports.ts';
import { newNamespace } from '../../cluster/shared.ts';
import { tokenOf } from '../../cluster/users.ts';
import { atTheEnd } from '../../operator/tmpfs.ts';
import { partOrSkip } from '../../parts/parts.ts';
import { connectTo } from './connect.ts';
import { Onlooker } from './onlooker.ts';
import type { SecretObject } from './secret-texts.ts';

const run = promisify(execFile);

const MODULE = join(import.meta.dirname, '../../parts/sealed-secrets');
const KEY_LABEL = 'sealedsecrets.bitnami.com/sealed-secrets-key';
/** /run is replaced in a mount namespace of the controller's own. */
const IN_CLUSTER = `mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io &&
  cp -r "$1" /run/secrets/kubernetes.io/serviceaccount && shift && exec "$@"`;

export interface SealedSecrets {
  /** Seals with the controller's certificate, and applies the SealedSecret. */
  apply(name: string, namespace: string, data: Record<string, string>, type?: string): Promise<void>;
}

/** Starts the controller for one namespace; `undefined`: something is missing, and the test is marked skipped. */
export async function startSealedSecrets(
  t: TestContext,
  cluster: Cluster,
  app: string,
): Promise<SealedSecrets | undefined> {
  const controller = await partOrSkip(t, 'controller');
  const kubeseal = await partOrSkip(t, 'kubeseal');
  if (controller === undefined || kubeseal === undefined) return undefined;
  if (process.geteuid?.() !== 0) {
    t.skip('the sealed-secrets controller outside of a pod needs root');
    return undefined;
  }
  await cluster.kubectl('apply', '--server-side', '-f', await customResourceDefinition());
  await cluster.kubectl('wait', '--for=condition=Established', 'crd/sealedsecrets.bitnami.com', '--timeout=240s');
  const home = await newNamespace(t, cluster, 'sealed');
  const folder = await mkdtemp(join(tmpdir(), 'coffer-sealed-'));
  atTheEnd(t, () => rm(folder, { recursive: true }));
  await startController(t, cluster, { controller, folder, home, app });
  const certificate = join(folder, 'sealing.crt');
  await writeFile(certificate, await sealingCertificate(t, cluster, home));
  return {
    apply: async (name, namespace, data, type = 'Opaque') => {
      const plain = join(folder, `${name}.json`);
      const metadata = { name, namespace };
      await writeFile(plain, JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type, stringData: data }));
      const { stdout } = await run(kubeseal, ['--cert', certificate, '-o', 'json', '-f', plain]);
      const sealed = join(folder, `${name}.sealed.json`);
      await writeFile(sealed, stdout);
      await cluster.kubectl('apply', '-f', sealed);
    },
  };
}

async function startController(
  t: TestContext,
  cluster: Cluster,
  { controller, folder, home, app }: { controller: string; folder: string; home: string; app: string },
): Promise<void> {
  const credentials = join(folder, 'account');
  await mkdir(credentials);
  await writeFile(join(credentials, 'token'), await tokenOf(cluster.directory, 'admin'));
  await writeFile(join(credentials, 'ca.crt'), await readFile(cluster.caFile));
  await writeFile(join(credentials, 'namespace'), home);
  const address = ownAddress();
  const { hostname, port } = new URL(cluster.server);
  const flags = [
    '--kubeclient-qps=-1',
    '--key-size=2048',
    '--all-namespaces=false',
    `--additional-namespaces=${app}`,
    `--listen-addr=${address}:8080`,
    `--listen-metrics-addr=${address}:8081`,
  ];
  const command = ['-c', IN_CLUSTER, 'sh', credentials, controller, ...flags];
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', ...command], {
    env: {
      PATH: process.env.PATH,
      POD_NAMESPACE: home,
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
    },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
}

/** The controller makes its key at its first start. */
async function sealingCertificate(t: TestContext, cluster: Cluster, home: string): Promise<Buffer> {
  const client = await connectTo(t, cluster.kubeconfig, { namespace: home });
  const secrets = await Onlooker.open<SecretObject>(t, client, RESOURCES.secrets, home);
  const { data = {} } = await secrets.untilAny((secret) => secret.metadata.labels?.[KEY_LABEL] !== undefined);
  return Buffer.from(data['tls.crt'] ?? '', 'base64');
}

async function customResourceDefinition(): Promise<string> {
  const args = ['list', '-m', '-f', '{{.Dir}}', 'github.com/bitnami/sealed-secrets'];
  const { stdout } = await run('go', args, { cwd: MODULE });
  return join(stdout.trim(), 'helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml');
}
