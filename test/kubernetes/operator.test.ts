import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster } from '../cluster/shared.ts';
import { holds, openClusterSite } from './cluster-site.ts';

test('a commit becomes a Secret, changes it, and takes it away', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const { site, secrets, manifest } = await openClusterSite(t, cluster);
  await site.tree.commit(manifest('db', 'one'));
  const operator = await site.start();
  await secrets.until('db', holds('one'));
  await site.push(operator, manifest('db', 'two'));
  await secrets.until('db', holds('two'));
  assert.match(await operator.get('/readyz'), /^200/);
  assert.match(await operator.get('/metrics'), /^coffer_leader 1$/m);
  await site.push(operator, { 'db.yaml': null });
  await secrets.until('db', (secret) => secret === undefined);
  assert.equal(await operator.end(), 0);
});
