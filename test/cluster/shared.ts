import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { partOrSkip } from '../parts/parts.ts';
import { isServerGone } from './api.ts';
import { CLUSTER_PARTS, type Cluster, joinCluster, startCluster } from './cluster.ts';

/** Names the folder of the cluster that all test files share. */
export const SHARED_CLUSTER = 'COFFER_TEST_CLUSTER';

let shared: Promise<Cluster> | undefined;

/**
 * The cluster that all test files share: the one that the test runner or `keep.ts` started, else one of this process. Only
 * for what leaves other tests alone: objects in namespaces of one's own. Marks `t` skipped, loudly, when parts are missing.
 */
export async function sharedCluster(t: TestContext): Promise<Cluster | undefined> {
  for (const part of CLUSTER_PARTS) if (!(await partOrSkip(t, part))) return undefined;
  const directory = process.env[SHARED_CLUSTER];
  shared ??= directory ? joinCluster(directory) : startCluster();
  return shared;
}

/** A new namespace whose ServiceAccount `default` exists; deleted after the test. Resolves to its name. */
export async function newNamespace(t: TestContext, cluster: Cluster, prefix = 'test'): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const path = `/api/v1/namespaces/${name}`;
  await cluster.admin.expect('POST', '/api/v1/namespaces', { metadata: { name } });
  t.after(async () => {
    // A cluster that a test has stopped took its namespaces along.
    await cluster.admin.ask('DELETE', path).catch((error: unknown) => {
      if (!isServerGone(error)) throw error;
    });
  });
  if (!cluster.hasControllers) {
    await cluster.admin.expect('POST', `${path}/serviceaccounts`, { metadata: { name: 'default' } });
  }
  await cluster.admin.firstEvent(`${path}/serviceaccounts?watch=1&fieldSelector=metadata.name%3Ddefault`);
  return name;
}
