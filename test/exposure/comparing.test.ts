/** The real operator finds what is exposed, compares, records; the real CLI believes the record. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { eventually, type OperatorProcess, Site } from '../operator/site.ts';
import type { TestRecipient } from '../support/secrets.ts';

const CLI = join(import.meta.dirname, '../../cli/coffer.ts');
const CONFIG = JSON.stringify({
  apiVersion: 'coffer.dev/v1',
  kind: 'Config',
  metadata: { name: 'config' },
  spec: { repository: 'AAAAAAAAAAAAAAAAAAAAAA' },
});

function revoked({ recipient }: TestRecipient): Record<string, string> {
  const keys = recipient.keys.map((key) => ({ ...key, status: 'revoked' as const }));
  return { [recipient.file]: renderRecipient({ ...recipient, keys }) };
}

async function exposes(operator: OperatorProcess, live: number, resealed: number): Promise<void> {
  await eventually(async () => {
    const metrics = await operator.get('/metrics');
    const counts = ['live', 'resealed'].map((state) =>
      Number(new RegExp(`^coffer_exposed_values\\{[^}]*state="${state}"\\} (\\d+)$`, 'm').exec(metrics)?.[1]),
    );
    assert.deepEqual(counts, [live, resealed]);
  });
}

function run(site: Site, ...args: string[]) {
  const env = { ...process.env, COFFER_PINS: site.path('pins'), HOME: site.path('tmp') };
  const cwd = site.tree.directory;
  return spawnSync(process.execPath, [CLI, ...args], { cwd, env, encoding: 'utf8' });
}

function asked(site: Site, ...args: string[]) {
  const { status, stdout, stderr } = run(site, 'exposure', '--json', ...args);
  return { status, stderr, found: JSON.parse(stdout) };
}

test('a value that a stolen key could open stays exposed until an opener has recorded that it is another one', async (t) => {
  const site = await Site.open(t);
  const both = [site.production, site.staging];
  const first = site.manifest({ name: 'db', data: { password: 'canary-one', user: 'canary-app' }, to: both });
  await site.tree.commit({ 'db.json': first, '.coffer/config.yaml': CONFIG });
  const operator = await site.start();
  await exposes(operator, 0, 0);

  await site.push(operator, revoked(site.staging));
  await exposes(operator, 2, 0);
  await eventually(async () =>
    assert.match(await operator.get('/metrics'), /^coffer_exposure_history_whole\{[^}]*\} 0$/m),
  );

  // The same password, sealed anew to those who are left; another user.
  const same = site.manifest({ name: 'db', data: { password: 'canary-one', user: 'canary-new' } });
  await site.push(operator, { 'db.json': null, 'moved/db.json': same });
  await exposes(operator, 1, 0);
  const records = () => site.audit().filter(({ event }) => event === 'value.compared');
  const told = () =>
    records().map(({ namespace, name, entries, outcome }) => `${namespace}/${name} ${entries} ${outcome}`);
  assert.deepEqual(told().sort(), ['payments/db password same', 'payments/db user changed']);
  const intents = site.audit().filter(({ event, action }) => event === 'secret.intent' && action === 'compare');
  assert.deepEqual(intents.map(({ entries }) => `${entries}`).sort(), ['password', 'user']);
  for (const { operation, sequence } of records()) {
    const intent = intents.find((one) => one.operation === operation);
    assert.ok(intent !== undefined && intent.sequence < sequence);
  }
  assert.equal(asked(site).found.exposed, 2);
  const log = ['--log', site.path('audit')];
  await eventually(() => assert.equal(asked(site, ...log).found.exposed, 1));

  await site.push(operator, {
    'moved/db.json': site.manifest({ name: 'db', data: { password: 'canary-two', user: 'canary-new' } }),
  });
  await exposes(operator, 0, 0);
  await eventually(() => assert.equal(asked(site, ...log).found.exposed, 0));
  const { found } = asked(site, ...log);
  assert.deepEqual(new Set(found.values.map(({ state }: { state: string }) => state)), new Set(['changed']));
  const { address } = await operator.line(({ msg }) => msg === 'listening');
  const bundle = site.path('tmp', 'bundle');
  run(site, 'audit', 'bundle', ...log, '--from', '2000-01-01', '-o', bundle);
  for (const place of [`${address}/audit`, bundle]) assert.equal(asked(site, '--log', place).found.exposed, 0, place);
  assert.equal(await operator.end(), 0);

  const count = records().length;
  const again = await site.start();
  await exposes(again, 0, 0);
  assert.equal(records().length, count, 'what was compared is not compared again');
  assert.equal(await again.end(), 0);
  for (const { path, bytes } of site.files()) assert.ok(!bytes.includes('canary-'), path);
  assert.ok(!operator.output.includes('canary-') && !again.output.includes('canary-'));
});
