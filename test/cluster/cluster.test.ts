import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { partOrSkip } from '../parts/parts.ts';
import { CLUSTER_PARTS, type Cluster, startCluster } from './cluster.ts';
import { newNamespace, sharedCluster } from './shared.ts';
import { untilGone } from './swept-folder.ts';

const KEEP = join(import.meta.dirname, 'keep.ts');

async function haveParts(t: TestContext): Promise<boolean> {
  for (const part of CLUSTER_PARTS) if (!(await partOrSkip(t, part))) return false;
  return true;
}

/** The pids of what runs in a cluster's folder. */
function programsOf(directory: string): string[] {
  const marker = `COFFER_SWEPT_FOLDER=${directory}`;
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(marker);
    } catch (error) {
      // It ended meanwhile, or is another user's.
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  });
}

async function whoAmI(cluster: Cluster, kubeconfig: string): Promise<{ username: string; groups: string[] }> {
  const text = await cluster.kubectl('--kubeconfig', kubeconfig, 'auth', 'whoami', '-o', 'json');
  const { status }: { status: { userInfo: { username: string; groups: string[] } } } = JSON.parse(text);
  return status.userInfo;
}

describe('the shared cluster', () => {
  test('gives each test a namespace whose ServiceAccount exists', async (t) => {
    const cluster = await sharedCluster(t);
    if (!cluster) return;
    const [one, other] = await Promise.all([newNamespace(t, cluster), newNamespace(t, cluster)]);
    assert.notEqual(one, other);
    const text = await cluster.admin.expect('GET', `/api/v1/namespaces/${one}/serviceaccounts/default`);
    assert.equal(JSON.parse(text).metadata.name, 'default');
  });

  test('deletes a namespace with what is in it', async (t) => {
    const cluster = await sharedCluster(t);
    if (!cluster) return;
    let namespace = '';
    await t.test('uses one', async (inner) => {
      namespace = await newNamespace(inner, cluster);
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      await cluster.admin.expect('POST', path, { metadata: { name: 'left', finalizers: [] } });
    });
    await cluster.kubectl('wait', '--for=delete', `namespace/${namespace}`, '--timeout=240s');
  });

  test('judges ServiceAccounts, people with tokens and people with certificates by RBAC', async (t) => {
    const cluster = await sharedCluster(t);
    if (!cluster) return;
    const namespace = await newNamespace(t, cluster);
    const account = await cluster.kubeconfigFor({ namespace, serviceAccount: 'default' });
    const alice = await cluster.kubeconfigFor({ name: 'alice' });
    const auditor = await cluster.kubeconfigFor({ name: 'eve/1', groups: ['a', 'oidc:b+c'] });
    assert.equal((await whoAmI(cluster, account)).username, `system:serviceaccount:${namespace}:default`);
    assert.deepEqual(await whoAmI(cluster, alice), {
      username: 'alice',
      uid: 'alice',
      groups: ['people', 'system:authenticated'],
    });
    const { username, groups } = await whoAmI(cluster, auditor);
    assert.deepEqual({ username, groups }, { username: 'eve/1', groups: ['a', 'oidc:b+c', 'system:authenticated'] });
    for (const kubeconfig of [account, alice, auditor]) {
      await assert.rejects(cluster.kubectl('--kubeconfig', kubeconfig, 'get', 'secrets', '-n', namespace), /Forbidden/);
    }
  });

  test('cannot be stopped by one of those who share it', async (t) => {
    if (!(await haveParts(t))) return;
    const cluster = await sharedCluster(t);
    if (!cluster || !process.env.COFFER_TEST_CLUSTER) return t.skip('this process started the cluster by itself');
    await assert.rejects(cluster.stopApiServer(), /other tests use this cluster/);
  });
});

describe('a cluster of one test', () => {
  test('keeps its data while its API server is stopped and started, and forgets old revisions when compacted', async (t) => {
    if (!(await haveParts(t))) return;
    const cluster = await startCluster({ installCrds: false });
    t.after(() => cluster.stop());
    const namespace = await newNamespace(t, cluster, 'kept');
    const created = await cluster.admin.expect('GET', `/api/v1/namespaces/${namespace}`);
    const { resourceVersion } = JSON.parse(created).metadata;

    await cluster.stopApiServer();
    // A connection that was kept alive is reset, a new one is refused.
    await assert.rejects(cluster.admin.ask('GET', '/readyz'), { code: /^(?:ECONNREFUSED|ECONNRESET|EPIPE)$/ });
    await cluster.startApiServer();
    assert.equal((await cluster.admin.ask('GET', `/api/v1/namespaces/${namespace}`)).status, 200);

    await newNamespace(t, cluster);
    await cluster.compactEtcd();
    const watch = `/api/v1/configmaps?limit=1&resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`;
    assert.equal((await cluster.admin.ask('GET', watch)).status, 410);
  });

  test('stands beside another one and leaves nothing behind', async (t) => {
    if (!(await haveParts(t))) return;
    const both = await Promise.all([0, 1].map(() => startCluster({ controllers: false, installCrds: false })));
    const [one, other] = both.map(({ directory }) => directory) as [string, string];
    assert.notEqual(both[0]?.server, both[1]?.server);
    assert.deepEqual([programsOf(one).length, programsOf(other).length], [2, 2]);
    await both[0]?.stop();
    assert.deepEqual([programsOf(one), existsSync(one)], [[], false]);
    assert.equal((await both[1]?.admin.ask('GET', '/readyz'))?.status, 200);
    await both[1]?.stop();
    assert.deepEqual([programsOf(other), existsSync(other)], [[], false]);
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    test(`leaves nothing behind when its process is ended by ${signal}`, async (t) => {
      if (!(await haveParts(t))) return;
      const keeper = spawn(process.execPath, [KEEP], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => keeper.kill('SIGKILL'));
      const [line] = (await once(createInterface(keeper.stdout), 'line')) as [string];
      const directory = line.slice(line.indexOf('=') + 1);
      assert.equal(programsOf(directory).length, 3);
      keeper.kill(signal);
      await once(keeper, 'exit');
      await untilGone(directory);
      assert.deepEqual(programsOf(directory), []);
    });
  }
});
