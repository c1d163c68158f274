import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, Site } from './site.ts';

test('an operator whose keys are gone raises an alarm and keeps what is projected, makes no other key, and goes on when they are back', async (t) => {
  const site = await Site.open(t);
  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { password: 'one' } }) });
  const first = await site.start();
  await first.line(({ msg }) => msg === 'projected a commit');
  assert.equal(await first.end(), 0);

  renameSync(site.path('keys'), site.path('lost'));
  mkdirSync(site.path('keys'));
  const operator = await site.start();
  const alarm = await operator.line(({ code }) => code === 'KEYS_MISSING');
  assert.equal(alarm.keyId, site.production.recipient.keys[0]?.kid);
  await site.push(operator, { 'db.yaml': site.manifest({ name: 'db', data: { password: 'two' } }) });
  assert.equal(site.read('payments', 'api', 'db', 'password'), 'one');
  await eventually(async () => {
    const { problems } = await operator.status();
    assert.ok(problems.some(({ code }: { code: string }) => code === 'KEYS_MISSING'));
  });
  assert.equal([...site.files()].filter(({ path }) => path.includes('/keys/')).length, 0);

  renameSync(site.path('keys'), site.path('empty'));
  renameSync(site.path('lost'), site.path('keys'));
  await operator.wake();
  await eventually(() => assert.equal(site.read('payments', 'api', 'db', 'password'), 'two'));
  await eventually(async () => assert.deepEqual((await operator.status()).problems, []));
  assert.equal(await operator.end(), 0);
});
