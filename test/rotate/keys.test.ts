/** A cluster's key turns over with the real operator, the real git and the real CLI. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sealedTo } from '../../core/format/manifest/sealed-to.ts';
import { createRecipient } from '../../core/keys/create.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { renderRequest, requestFile, rotateRequest } from '../../core/requests/request.ts';
import { Desk } from '../cli/desk.ts';
import { eventually, Site } from '../operator/site.ts';
import { TrustSite, takes } from '../operator/trust-site.ts';
import { recipientFiles } from '../support/secrets.ts';

const created = new Date().toISOString().replace(/\.\d+Z$/, 'Z');

function listed(site: Site) {
  return readRecipient(readFileSync(site.path('repository', site.production.recipient.file)), 'production.yaml');
}

/** Kids. */
function stanzasOf(site: Site): string[] {
  return [...sealedTo(readFileSync(site.path('repository', 'db.yaml')), 'db.yaml').counts.keys()];
}

function wish(site: Site, revoke = false) {
  const key = listed(site).keys[0]?.kid ?? '';
  return rotateRequest({ recipient: 'production', key, revoke, reason: 'a laptop was lost', created });
}

test('a committed wish is all that it takes where the operator may push: new key, new stanzas, and the file of the wish is gone', async (t) => {
  const site = await Site.open(t, { git: { push: {} } });
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
  assert.deepEqual(stanzasOf(site), [keys[0]?.kid]);
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

test('a stolen key is revoked at once, collected by the CLI where the operator may not push, and deleted when asked', async (t) => {
  const site = await Site.open(t);
  site.configure({ rotation: { grace: '1ms' } });
  await site.tree.git('config', 'receive.denyCurrentBranch', 'updateInstead');
  const recovery = createRecipient({ name: 'recovery', type: 'recovery', created });
  appendFileSync(site.path('pins'), `recovery ${identityText(recovery.recipient.identity)}\n`);
  const db = site.manifest({ name: 'db', data: { password: 'one' } });
  const config =
    'apiVersion: coffer.dev/v1\nkind: Config\nmetadata: {name: coffer}\nspec: {repository: "AAAAAAAAAAAAAAAAAAAAAA"}\n';
  await site.tree.commit({ ...recipientFiles(recovery), '.coffer/config.yaml': config, 'db.yaml': db });
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  const desk = new Desk();
  t.after(() => desk.remove());
  desk.git('pull', '--quiet', site.path('repository'), 'main');
  const env = { COFFER_PINS: site.path('pins') };
  const coffer = async (...args: string[]) => {
    const { status, stderr } = desk.try(['recipients', ...args], { env });
    assert.equal(status, 0, stderr);
    desk.git('push', '--quiet', site.path('repository'), 'main');
    await takes(operator, await site.tree.git('rev-parse', 'HEAD'));
  };
  const former = listed(site).keys[0]?.kid ?? '';
  await coffer('rotate', 'production', '--revoke', '--reason', 'a laptop was lost');
  assert.deepEqual(
    listed(site).keys.map(({ status }) => status),
    ['revoked'],
  );
  await operator.line(({ msg }) => msg.startsWith('to be collected: Rotate the key of production'));
  await coffer('rewrap', 'production', '--from-file', site.path('state/proposals/rewrap-production.jsonl'));
  const [newest] = listed(site).keys;
  assert.deepEqual(
    listed(site).keys.map(({ status }) => status),
    ['active', 'revoked'],
  );
  assert.deepEqual(stanzasOf(site), [newest?.kid]);
  assert.equal(site.read('payments/api', 'db', 'password'), 'one');
  await coffer('retire', former);
  const names = [`${newest?.kid}.key`, 'production.identity'];
  await eventually(async () => {
    await operator.wake();
    assert.deepEqual(new Set(readdirSync(site.path('keys'))), new Set(names));
  });
  const reasons = site
    .audit()
    .filter(({ change }) => change === 'made')
    .map(({ reason }) => reason);
  assert.deepEqual(reasons, ['a laptop was lost']);
});

test('a wish that somebody committed who may not ask makes no key, and is on record', async (t) => {
  const grants = [
    { signers: ['root'], may: ['values', 'keyring', 'requests'] },
    { signers: ['ada'], may: ['values', 'readers', 'recipients', 'removal'] },
  ];
  const host = await TrustSite.open(t, { people: ['root', 'ada'], policy: { grants }, trust: { perPath: true } });
  const { site } = host;
  const first = await host.commit('root', { 'db.yaml': host.manifest('db', 'one') });
  host.configure({ firstCommit: first, perPath: true });
  const operator = await site.start();
  await takes(operator, first);
  const request = wish(site, true);
  const file = { [requestFile(request.id)]: renderRequest(request) };
  await takes(operator, await host.commit('ada', file));
  await eventually(async () => {
    const refused = site.audit().filter(({ event }) => event === 'request.refused');
    assert.deepEqual(
      refused.map((line) => [line.request, line.code]),
      [[request.id, 'TRUST_NOT_GRANTED']],
    );
  });
  assert.equal(readdirSync(site.path('keys')).length, 2);
  assert.equal(existsSync(site.path('state/proposals')), false);
  await takes(
    operator,
    await host.commit('root', { [requestFile(request.id)]: `${renderRequest(request)}# looked at\n` }),
  );
  await eventually(() => assert.equal(readdirSync(site.path('keys')).length, 3));
});
