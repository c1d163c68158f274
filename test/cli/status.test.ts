import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { DocumentedFields } from '../docs/json-page.ts';
import { eventually, Site } from '../operator/site.ts';
import { damaged } from '../support/damaged.ts';

const COFFER = join(import.meta.dirname, '../../cli/coffer.ts');
const CONFIG = `apiVersion: coffer.dev/v1\nkind: Config\nmetadata: {name: coffer}\nspec: {repository: ${'A'.repeat(22)}}\n`;

test('coffer status says where a commit is, what failed and why, and how old the key is', async (t) => {
  const site = await Site.open(t);
  const { production, staging } = site;
  await site.tree.commit({
    '.coffer/config.yaml': CONFIG,
    'db.yaml': site.manifest({ name: 'db', data: { password: 'one' } }),
    'queue.yaml': site.manifest({ name: 'queue', data: { password: 'one' } }),
    'elsewhere.yaml': site.manifest({ name: 'elsewhere', to: [staging], data: { password: 'one' } }),
  });
  const operator = await site.start();
  const { address = '' } = await operator.line(({ msg }) => msg === 'listening');
  await operator.line(({ msg }) => msg === 'projected a commit');
  const status = (...args: string[]) => {
    const command = [COFFER, 'status', '--url', address, ...args];
    const env = { PATH: process.env.PATH ?? '', HOME: site.root };
    const {
      status: code,
      stdout,
      stderr,
    } = spawnSync(process.execPath, command, {
      cwd: site.tree.directory,
      env,
      encoding: 'utf8',
    });
    return { code, stdout, stderr };
  };

  const all = status('--watch');
  assert.deepEqual([all.code, all.stderr], [0, '']);
  assert.equal(JSON.parse(await (await fetch(new URL('/status', address))).text()).cluster, 'production');
  assert.match(all.stdout, /production \(127\.0\.0\.1:\d+\): 2 of 2 secrets have it, key [0-9a-f]{8}… is \d+ days old/);

  // Not pushed yet: the operator has the commit before.
  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { password: 'two' } }) });
  const behind = status('--json');
  assert.equal(behind.code, 0);
  const [cluster] = JSON.parse(behind.stdout).clusters;
  const fields = new DocumentedFields();
  fields.hold('status', JSON.parse(behind.stdout));
  assert.deepEqual(
    cluster.secrets.map(({ name, state }: { name: string; state: string }) => [name, state]),
    [
      ['db', 'behind'],
      ['queue', 'current'],
    ],
  );
  assert.deepEqual(cluster.namespaces, [{ namespace: 'payments', current: 1, secrets: 2 }]);
  assert.equal(cluster.key.id, production.recipient.keys[0]?.kid);

  const broken = damaged(site.manifest({ name: 'db', data: { password: 'three' } }));
  await site.push(operator, { 'db.yaml': broken, 'unreadable.yaml': 'apiVersion: coffer.dev/v1\nkind: Unknown\n' });
  // The look is over a moment after the commit is projected.
  await eventually(async () => {
    const { secrets, sources } = await operator.status();
    assert.ok(secrets.some(({ state }: { state: string }) => state === 'failed'));
    assert.equal(sources[0].problems.length, 1);
  });
  const failed = status();
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /payments\/db failed: VALUE_REFUSED \(db\.yaml\)\n {4}\S/);
  assert.match(failed.stdout, /DOCUMENT_KIND .*\(unreadable\.yaml:2/);
  fields.hold('status', JSON.parse(status('--json').stdout));
  // Beside what is there only while something is tried again.
  const unseen = fields.unseen().filter((field) => /^coffer status: (?!.*isRetried)/.test(field));
  assert.deepEqual(unseen, []);
});
