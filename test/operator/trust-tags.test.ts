import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './site.ts';
import { refuses, TrustSite, takes } from './trust-site.ts';

test('where tags are followed in mode head, the signed tag of the highest version counts, whoever signed the commits', async (t) => {
  const host = await TrustSite.open(t, { git: { tag: 'v*' }, trust: { mode: 'head' } });
  const { tree } = host.site;
  const tag = async (name: string, signer: string | undefined) => {
    await host.signAs(signer);
    await tree.git('tag', signer === undefined ? '-a' : '-s', '-m', name, name);
  };
  const first = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'one') });
  await tag('v1.9', 'ada');
  host.configure({ firstCommit: first });
  const operator = await host.site.start();
  await operator.line((line) => line.msg === 'projected a commit' && line.commit === first);

  const second = await host.commit('ada', { 'db.yaml': host.manifest('db', 'two') });
  await tag('v1.10', undefined);
  await refuses(operator, 'TRUST_UNSIGNED');
  await tree.git('tag', '-d', 'v1.10');
  await tag('v1.10', 'bob');
  await takes(operator, second);
  assert.equal(host.secret('db'), 'two');
  await eventually(async () => assert.deepEqual((await operator.status()).sources[0].signer.names, ['bob']));

  // A signed tag under another name is not what its signer said.
  await host.commit(undefined, { 'db.yaml': host.manifest('db', 'three') });
  await tag('v1.11-rc', 'bob');
  await tree.git('update-ref', 'refs/tags/v2.0', 'refs/tags/v1.11-rc');
  await refuses(operator, 'TRUST_SIGNATURE');
  await tree.git('tag', '-d', 'v2.0', 'v1.11-rc');
  await tree.git('tag', '-d', 'v1.10');
  await refuses(operator, 'TRUST_DIVERGED');
  assert.equal(host.secret('db'), 'two');
  assert.equal(await operator.end(), 0);
});
