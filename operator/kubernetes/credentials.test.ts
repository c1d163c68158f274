import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { newNamespace, sharedCluster } from '../../test/cluster/shared.ts';
import { connectTo } from '../../test/kubernetes/scene/connect.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { TcpRelay } from '../../test/servers/tcp-relay.ts';
import { connect } from './connect.ts';
import { RESOURCES } from './resource.ts';

const leaderElection = { lease: 'none', duration: 15_000 };

interface Parts {
  cluster: Record<string, unknown>;
  user: Record<string, unknown>;
}

/** A kubeconfig in a folder of its own. */
function write(t: TestContext, { cluster, user }: Parts): string {
  const file = join(onDisk(t), 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'not-the-operators' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** How the administrator of the tests' cluster gets in. */
function partsOf(kubeconfig: string): Parts {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  return { cluster: config.clusters[0].cluster, user: config.users[0].user };
}

const REFUSED: [what: string, cluster: Record<string, unknown>][] = [
  ['a server without TLS', { server: 'http://127.0.0.1:8080' }],
  ['a server whose certificate nobody checks', { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true }],
  ['a proxy of another kind', { server: 'https://127.0.0.1:1', 'proxy-url': 'socks5://127.0.0.1:1' }],
  ['no server', {}],
];
for (const [what, cluster] of REFUSED) {
  test(`refuses ${what} at start`, async (t) => {
    const kubeconfig = write(t, { cluster, user: { token: 'canary' } });
    await assert.rejects(connect({ kubeconfig, leaderElection }), (error: { code: string; exit: number }) => {
      assert.equal(error.code, 'KUBERNETES_CONFIG');
      assert.equal(error.exit, 2);
      return true;
    });
  });
}

test('a kubeconfig that cannot be parsed is not quoted', async (t) => {
  const kubeconfig = join(onDisk(t), 'kubeconfig');
  writeFileSync(kubeconfig, 'users: [{user: {token: canary');
  await assert.rejects(connect({ kubeconfig, leaderElection }), (error) => {
    assert.ok(error instanceof Error && !`${error.stack}${JSON.stringify(error)}`.includes('canary'));
    return true;
  });
});

test('a server whose certificate another authority signed is not asked anything, and said so at once', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const { cluster: server, user } = partsOf(cluster.kubeconfig);
  const { 'certificate-authority': _, ...systems } = server;
  const relay = await TcpRelay.start(Number(new URL(cluster.server).port));
  t.after(() => relay.close());
  const behind = { ...systems, server: `https://127.0.0.1:${relay.port}` };
  const client = await connectTo(t, write(t, { cluster: behind, user }));
  await assert.rejects(
    client.list(RESOURCES.namespaces),
    /certificate of the Kubernetes API server is not to be trusted/,
  );
  assert.equal(relay.connections, 1, 'without trying again');
});

test("a credential plugin's token is used, and asked for again when the server refuses it", async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const parts = partsOf(cluster.kubeconfig);
  const folder = onDisk(t);
  const token = join(folder, 'token');
  const program = join(folder, 'plugin');
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${token})"\n`,
  );
  chmodSync(program, 0o755);
  writeFileSync(token, 'expired');
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: program };
  const client = await connectTo(t, write(t, { cluster: parts.cluster, user: { exec } }));
  const namespace = await newNamespace(t, cluster);
  const name = { namespace, name: 'default' };
  await assert.rejects(client.get(RESOURCES.serviceAccounts, name), { code: 'KUBERNETES_UNAUTHORIZED', status: 401 });
  writeFileSync(token, String(parts.user.token));
  assert.equal((await client.get(RESOURCES.serviceAccounts, name))?.metadata.name, 'default');
});

test("the operator's namespace is that of the configuration, else coffer-system, never that of a kubeconfig's context", async (t) => {
  const kubeconfig = write(t, { cluster: { server: 'https://127.0.0.1:1' }, user: {} });
  assert.equal((await connectTo(t, kubeconfig)).namespace, 'coffer-system');
  assert.equal((await connectTo(t, kubeconfig, { namespace: 'mine' })).namespace, 'mine');
});
