/** A cluster's key turns over with the real operator, the real git and the real CLI. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { storeIdentity } from '../../core/keys/key-directory.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { renderRequest, requestFile, rotateRequest } from '../../core/requests/request.ts';
import { keysIn } from '../../operator/rotate/keys/stanza-index.ts';
import { eventually, Site } from '../operator/site.ts';

const created = '2026-11-21T10:00:00Z';

function listed(site: Site) {
  return readRecipient(readFileSync(site.path('repository', site.production.recipient.file)), 'production.yaml');
}

function wish(site: Site, revoke = false) {
  const key = listed(site).keys[0]?.kid ?? '';
  return rotateRequest({ recipient: 'production', key, revoke, reason: 'a laptop was lost', created });
}

test('a committed wish is all that it takes where the operator may push: new key, new stanzas, and the file of the wish is gone', async (t) => {
  const site = await Site.open(t, { git: { push: {} } });
  await storeIdentity(site.path('keys'), 'production', site.production.identitySeed);
  await site.tree.git('config', 'receive.denyCurrentBranch', 'updateInstead');
  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { password: 'one' } }) });
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  const request = wish(site);
  await site.push(operator, { [requestFile(request.id)]: renderRequest(request) });
  const { commit } = await operator.line(({ msg }) => msg === 'pushed rewrap-production to main');
  await operator.line((line) => line.msg === 'projected a commit' && line.commit === commit);
  const { keys } = listed(site);
  assert.deepEqual(
    keys.map(({ status }) => status),
    ['active', 'retired'],
  );
  assert.deepEqual(Object.keys(Object.fromEntries(keysIn(readFileSync(site.path('repository', 'db.yaml'))))), [
    keys[0]?.kid,
  ]);
  assert.equal(existsSync(site.path('repository', requestFile(request.id))), false);
  assert.equal(site.read('payments/api', 'db', 'password'), 'one');
  assert.equal(readdirSync(site.path('keys')).length, 3);
  const [newest, former] = keys.map(({ kid }) => kid);
  await eventually(async () => {
    const { keys: shown } = await operator.status();
    assert.deepEqual(
      shown.map(({ id, status, stanzas }: Record<string, unknown>) => [id, status, stanzas]),
      [
        [newest, 'active', 1],
        [former, 'retired', 0],
      ],
    );
  });
  const metrics = await operator.get('/metrics');
  assert.match(metrics, new RegExp(`^coffer_key_age_seconds{key="${newest}"} [0-9.]+$`, 'm'));
  assert.match(metrics, new RegExp(`^coffer_stanzas{key="${former}",status="retired"} 0$`, 'm'));
  const told = site.audit().filter(({ event }) => event === 'key.changed' || event === 'rotation.step');
  const steps = told.map(({ change, step, keyIds, branch }) => [change ?? step, keyIds?.[0] ?? branch].join(' '));
  for (const step of [
    `made ${newest}`,
    `announced ${newest}`,
    'pushed main',
    `listed ${newest}`,
    `retired ${former}`,
  ]) {
    assert.ok(steps.includes(step), step);
  }
  const secrets = readdirSync(site.path('keys')).map(
    (name) => readFileSync(site.path('keys', name), 'utf8').split('\n')[1],
  );
  for (const secret of secrets) assert.ok(secret !== undefined && !operator.output.includes(secret));
  for (const { path, bytes } of site.files()) {
    if (!path.startsWith(site.path('keys')))
      for (const secret of secrets) assert.ok(!bytes.includes(secret ?? '-'), path);
  }
});
