import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DirectoryStore } from '../../core/audit/directory-store.ts';
import type { AuditLine } from '../../core/audit/record.ts';
import { type Report, verifyLog } from '../../core/audit/verify.ts';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { readFrame } from '../../operator/volumes/protocol.ts';
import { tokenOf } from '../cluster/users.ts';
import { untilSigned } from '../operator/signed.ts';
import { eventually } from '../operator/site.ts';
import { fillUp, smallTmpfs } from '../operator/tmpfs.ts';
import { auditLines } from '../support/audit-lines.ts';
import { KubernetesStage } from './scene/stage.ts';
import { canary, VolumesScene } from './scene/volumes-scene.ts';

/** A busy machine may hold up all renewals for a while. */
const QUICK = { leaderElection: { duration: '8s' } };

/** A stage whose replicas have state and log of their own, and the keys of one cluster. */
async function replicas(t: TestContext) {
  const stage = await KubernetesStage.open(t, { kubernetes: QUICK });
  if (stage === undefined) return undefined;
  const { site } = stage;
  const start = async (name: string) => {
    stage.configure({
      kubernetes: QUICK,
      configuration: { state: { directory: `${name}/state` }, audit: { directory: `${name}/audit` } },
    });
    return await stage.start();
  };
  const log = (name: string): AuditLine[] => auditLines(site.path(name, 'audit'));
  const verify = (name: string, checkpoints: readonly string[] = []): Promise<Report> =>
    verifyLog(new DirectoryStore(site.path(name, 'audit')), {
      identity: site.production.recipient.identity,
      checkpoints,
    });
  return { stage, site, start, log, verify };
}

/** What the cluster remembers of its logs: their newest checkpoints. */
async function published(stage: KubernetesStage): Promise<Record<string, string>> {
  const name = { namespace: stage.home, name: 'coffer-audit' };
  const found = await stage.client.get<KubeObject & { data?: Record<string, string> }>(RESOURCES.configMaps, name);
  const notes = Object.entries(found?.data ?? {}).filter(([key]) => !key.endsWith('.published'));
  return Object.fromEntries(notes);
}

const isBack = ({ msg }: { msg: string }) => msg === 'brought back the last good state';
const originIn = (lines: readonly AuditLine[]) =>
  lines.flatMap(({ event, origin }) => (event === 'log.witnessed' ? [origin] : []));

test('at failover each replica goes on with its own log, and vouches for how far that of the other was; both are whole', async (t) => {
  const scene = await replicas(t);
  if (scene === undefined) return;
  const { stage, start, log, verify } = scene;
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  const first = await start('first');
  await first.line(({ msg }) => msg === 'projected a commit');
  const second = await start('second');
  await second.line(({ msg }) => msg === 'standing by');
  const firstOrigin = (await verify('first')).origin;
  await eventually(async () => assert.equal(Object.keys(await published(stage)).length, 1));
  const [seen = ''] = Object.values(await published(stage));

  await first.kill();
  await second.line(({ msg }) => msg === 'leading');
  await stage.push(second, stage.files({ name: 'db', data: { a: 'two' } }));
  await stage.secretIs(stage.app, 'db', { a: 'two' });
  const witness = log('second').find(({ event }) => event === 'log.witnessed');
  assert.equal(witness?.origin, firstOrigin);
  assert.ok(log('second').indexOf(witness) < log('second').findIndex(({ event }) => event === 'secret.intent'));
  assert.equal(await second.end(), 0);

  // What was published last and what the other wrote down are beginnings of the first one's log.
  assert.deepEqual((await verify('first', [seen, witness.checkpoint ?? ''])).findings, []);
  const report = await verify('second');
  assert.deepEqual([report.findings, report.unsigned], [[], 0]);

  // It leads again, and its log goes on; then its volume is lost.
  const again = await start('first');
  await again.line(isBack);
  assert.deepEqual(originIn(log('first')), [report.origin]);
  assert.equal(await again.end(), 0);
  const whole = await verify('first');
  assert.deepEqual(whole.findings, []);
  const { size } = whole;

  await rename(scene.site.path('first', 'audit'), scene.site.path('lost'));
  const anew = await start('first');
  await anew.line(isBack);
  assert.equal(await anew.end(), 0);
  const lost = log('first').find(({ event, origin }) => event === 'log.witnessed' && origin === firstOrigin);
  assert.equal(lost?.checkpoint?.split('\n')[1], String(size), 'how much was lost is known to the record');
  assert.equal(Object.keys(await published(stage)).length, 3);
});

test('a forged checkpoint in the ConfigMap neither stops a replica nor gets into its log', async (t) => {
  const scene = await replicas(t);
  if (scene === undefined) return;
  const { stage, site, start, log, verify } = scene;
  await stage.commit(stage.files({ name: 'db', data: { a: 'one' } }));
  const first = await start('first');
  await first.line(({ msg }) => msg === 'projected a commit');
  assert.equal(await first.end(), 0);
  const [[id = '', note = ''] = []] = Object.entries(await published(stage));
  const forged = note.replace(/^(coffer.*)\n[0-9]+\n/, '$1\n9999\n');
  const other = forged.replace(id, 'ffffffffffffffff');
  const name = { namespace: stage.home, name: 'coffer-audit' };
  const data = { [id]: forged, ffffffffffffffff: other, junk: 'x'.repeat(100_000) };
  await stage.client.patch(RESOURCES.configMaps, name, { data }, { type: 'merge' });
  const again = await start('first');
  await again.line(isBack);
  assert.equal(await again.end(), 0);
  assert.deepEqual(originIn(log('first')), []);
  assert.deepEqual((await verify('first')).findings, []);
  await rm(site.path('first'), { recursive: true });
});

test('promise 2: without a record nothing is given to pods, to Secrets or to people, and nobody loses what they have', async (t) => {
  const audit = smallTmpfs(t, 4096);
  if (audit === undefined) return;
  const scene = await VolumesScene.open(t, { secrets: true, audit, interval: '500ms' });
  if (scene === undefined) return;
  const { stage, app } = scene;
  const [old, fresh] = [canary('old'), canary('fresh')];
  await stage.commit(stage.files({ name: 'db', data: { password: old }, readers: ['api'] }));
  await scene.serviceAccount('api');
  const operator = await scene.start();
  const token = await scene.token('api', { pod: { name: 'api-0', uid: await scene.pod('api-0', 'api') } });
  const mounted = readFrame((await scene.mount(token)).body);
  await stage.secretIs(app, 'db', { password: old });

  await untilSigned(operator);
  fillUp(join(audit, 'filler'));
  const long = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}`.padEnd(100, 'x'), '1']));
  await stage.commit(stage.files({ name: 'db', data: { password: fresh, ...long }, readers: ['api'] }));
  await operator.line(({ code }) => code === 'AUDIT_FULL');
  await eventually(async () => assert.match(await operator.get('/readyz'), /^503/));
  // The log is full from the commit's own record on; until its secret has failed, pods are offered the new version.
  await eventually(async () => {
    const { secrets } = await operator.status();
    assert.equal(secrets.find(({ name }: { name: string }) => name === 'db')?.state, 'failed');
  });
  const answer = await scene.mount(token, { secret: 'db' });
  assert.deepEqual([answer.status, answer.code], [503, 'AUDIT_FULL']);
  const body = JSON.stringify({ namespace: app, name: 'db', entry: 'password', reason: 'INC-1' });
  const read = await scene.call('/v1/break-glass', await tokenOf(stage.cluster.directory, 'admin'), body);
  assert.deepEqual([read.status, read.code], [503, 'AUDIT_FULL']);
  const unchanged = await scene.mount(token, { secret: 'db', version: mounted.version });
  assert.equal(unchanged.status, 204, 'a pod that has its files is not told otherwise');
  await stage.secretIs(app, 'db', { password: old });

  await rm(join(audit, 'filler'));
  await stage.secretIs(app, 'db', { password: fresh, ...long });
  // The Secret is there before the operator knows that it is.
  await eventually(async () => {
    const { secrets } = await operator.status();
    assert.equal(secrets.find(({ name }: { name: string }) => name === 'db')?.state, 'ready');
  });
  assert.equal(
    readFrame((await scene.mount(token)).body)
      .values.get('password')
      ?.toString(),
    fresh,
  );
  const given = stage.site.audit().filter(({ event, action }) => event === 'secret.outcome' && action === 'mount');
  assert.deepEqual(
    given.map(({ outcome }) => outcome),
    ['read', 'read'],
  );
});
