import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { untilSigned } from '../../operator/signed.ts';
import { eventually, type OperatorProcess, Site } from '../../operator/site.ts';
import { fillUp, smallTmpfs } from '../../operator/tmpfs.ts';

/** A host whose log has a disk of its own, with one secret that is projected. */
async function host(t: TestContext): Promise<{ site: Site; audit: string; operator: OperatorProcess } | undefined> {
  const audit = smallTmpfs(t, 4096);
  if (audit === undefined) return undefined;
  const site = await Site.open(t, { audit, interval: '300ms' });
  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'first' } }) });
  const operator = await site.start();
  await eventually(async () => assert.equal((await operator.get('/readyz')).slice(0, 3), '200'));
  assert.equal(site.read('payments/api/db/a'), 'first');
  await untilSigned(operator);
  return { site, audit, operator };
}

/** Too long for what is left of a block that a file has already. */
const LONG = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}`.padEnd(100, 'x'), '1']));

function commit(site: Site, value: string): Promise<string> {
  return site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: value, ...LONG } }) });
}

async function metric(operator: OperatorProcess, name: string): Promise<string | undefined> {
  return new RegExp(`^${name} (.*)$`, 'm').exec(await operator.get('/metrics'))?.[1];
}

function remount(directory: string, how: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${how}`, directory]);
}

/** Sequence numbers have no gap, and each intent has one outcome. */
function assertWhole(site: Site): void {
  const lines = site.audit();
  assert.ok(lines.length > 0);
  assert.deepEqual(
    lines.map(({ sequence }) => sequence),
    lines.map((_, index) => index + 1),
  );
  const count = (event: string) => lines.filter((line) => line.event === event && line.operation !== undefined).length;
  assert.equal(count('secret.intent'), count('secret.outcome'));
}

describe('the log has no room', () => {
  test('nothing new is projected, what was stays, people see why; a person lets it go on for a time; then it is as before', async (t) => {
    const scene = await host(t);
    if (scene === undefined) return;
    const { site, audit, operator } = scene;
    const filler = join(audit, 'filler');
    fillUp(filler);
    await commit(site, 'second');
    await operator.line(({ code }) => code === 'AUDIT_FULL');
    assert.equal(site.read('payments/api/db/a'), 'first');
    await eventually(async () => assert.equal((await operator.get('/readyz')).slice(0, 3), '503'));
    assert.equal((await operator.get('/healthz')).slice(0, 3), '200');
    await eventually(async () => {
      const { problems } = await operator.status();
      assert.ok(problems.some(({ code }: { code: string }) => code === 'AUDIT_FULL'));
    });
    await eventually(async () => assert.equal(await metric(operator, 'coffer_audit_writable'), '0'));

    const given = site.spawn('override-audit', '--for', '1h', '--reason', 'INC-7: the disk is full');
    assert.equal(await given.exit(), 0, given.output);
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'second'));
    // The line may come through the pipe after the file is there.
    const isShown = (record: object) =>
      'event' in record && record.event === 'secret.intent' && !('sequence' in record);
    const shown = await operator.line(({ msg, audit: record }) => msg === 'audit' && isShown(Object(record)));
    const intent = Object(shown.audit);
    assert.equal(intent.name, 'db');
    await eventually(async () => assert.equal(await metric(operator, 'coffer_audit_overridden'), '1'));
    await eventually(async () => assert.equal((await operator.get('/readyz')).slice(0, 3), '200'));

    fs.rmSync(filler);
    await eventually(async () => assert.equal(await metric(operator, 'coffer_audit_owed_records'), '0'));
    // The checkpoint that failed meanwhile is tried again a little later.
    await eventually(async () => assert.equal(await metric(operator, 'coffer_audit_writable'), '1'));
    assert.equal(await operator.end(), 0);
    assertWhole(site);
    const lines = site.audit();
    const overridden = lines.find(({ event }) => event === 'log.overridden');
    assert.equal(overridden?.reason, 'INC-7: the disk is full');
    assert.deepEqual([overridden?.actor?.kind, overridden?.actor?.uid], ['host', process.getuid?.()]);
    const late = lines.filter(({ happened, event }) => happened !== undefined && event === 'secret.intent');
    assert.deepEqual([late.length, late[0]?.happened], [1, intent.happened]);
    assert.ok(lines.some(({ event }) => event === 'log.full'));
  });

  test('what a person allowed ends with its time', async (t) => {
    const scene = await host(t);
    if (scene === undefined) return;
    const { site, audit, operator } = scene;
    fillUp(join(audit, 'filler'));
    const given = site.spawn('override-audit', '--for', '1h', '--reason', 'only for a moment');
    assert.equal(await given.exit(), 0, given.output);
    await commit(site, 'second');
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'second'));
    // As if its hour were over: a busy machine has no shorter time that is long enough.
    const word = site.path('state', 'audit-override.json');
    fs.writeFileSync(word, JSON.stringify({ ...JSON.parse(fs.readFileSync(word, 'utf8')), until: new Date() }));
    await eventually(async () => assert.equal((await operator.get('/readyz')).slice(0, 3), '503'));
    await commit(site, 'third');
    await operator.line(({ code }) => code === 'AUDIT_FULL');
    await eventually(async () => assert.match(await operator.get('/status'), /"AUDIT_FULL"/));
    assert.equal(site.read('payments/api/db/a'), 'second');
    // What is in memory alone is lost with the process, and that is said.
    assert.equal(await operator.end(), 3);
    assert.ok(operator.lines.some(({ code }) => code === 'AUDIT_LOST'));
  });
});

describe('the log is read-only', () => {
  test('when it starts, also after a reboot: it stays up and projects nothing; writable again, it goes on by itself', async (t) => {
    const scene = await host(t);
    if (scene === undefined) return;
    const { site, audit, operator } = scene;
    await operator.kill();
    remount(audit, 'ro');
    fs.rmSync(site.projection, { recursive: true });
    await commit(site, 'second');
    const next = await site.start();
    await next.line(({ code }) => code === 'AUDIT_UNWRITABLE');
    await eventually(async () => assert.equal((await next.get('/readyz')).slice(0, 3), '503'));
    assert.equal((await next.get('/healthz')).slice(0, 3), '200');
    assert.equal(site.read('payments/api/db/a'), undefined, 'no record, no secret');
    remount(audit, 'rw');
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'second'));
    await eventually(async () => assert.equal((await next.get('/readyz')).slice(0, 3), '200'));
    assert.equal(await next.end(), 0);
    assertWhole(site);
    const [interrupted] = site.audit().filter(({ event }) => event === 'log.interrupted');
    assert.equal(interrupted?.code, 'AUDIT_UNWRITABLE');
  });
});

describe('the disk of the log was replaced', () => {
  test('lost: the new log names the one before it; set back to an earlier day: nobody writes there', async (t) => {
    const site = await Site.open(t);
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'first' } }) });
    assert.equal(await site.spawn('--once').exit(), 0);
    const first = fs.readFileSync(site.path('audit', 'checkpoint'), 'utf8');
    fs.cpSync(site.path('audit'), site.path('backup'), { recursive: true });
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'second' } }) });
    assert.equal(await site.spawn('--once').exit(), 0);
    const second = fs.readFileSync(site.path('audit', 'checkpoint'), 'utf8');
    assert.notEqual(first, second);

    fs.renameSync(site.path('audit'), site.path('lost'));
    assert.equal(await site.spawn('--once').exit(), 0);
    const witnessed = site.audit().find(({ event }) => event === 'log.witnessed');
    assert.deepEqual([witnessed?.origin, witnessed?.checkpoint], [second.split('\n')[0], second]);

    fs.rmSync(site.path('audit'), { recursive: true });
    fs.renameSync(site.path('backup'), site.path('audit'));
    const refused = site.spawn('--once');
    assert.equal(await refused.exit(), 3);
    assert.ok(
      refused.lines.some(({ code }) => code === 'AUDIT_ROLLED_BACK'),
      refused.output,
    );
  });
});
