import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { describe, test } from 'node:test';
import { eventually, type OperatorProcess } from './site.ts';
import { refuses, TrustSite, takes } from './trust-site.ts';

type Refused = { path: string; commit: string; code: string; author: { name: string } };

/** Where it finds no other program: neither git nor ssh-keygen, nor a shell. */
function startAlone(host: TrustSite): Promise<OperatorProcess> {
  const { PATH } = process.env;
  process.env.PATH = '';
  const starting = host.site.start();
  process.env.PATH = PATH;
  return starting;
}

describe('a source in mode strict', () => {
  test('begins where a person says, and nothing is projected before', async (t) => {
    const host = await TrustSite.open(t);
    const first = await host.commit('ada', { 'db.yaml': host.manifest('db', 'one') });
    const operator = await host.site.start();
    const said = await operator.line(({ code }) => code === 'SOURCE_FIRST_COMMIT');
    assert.match(JSON.stringify(said), new RegExp(first));
    assert.equal(host.secret('db'), undefined);

    assert.equal(await host.site.spawn('accept', first).exit(), 0);
    await takes(operator, first);
    assert.equal(host.secret('db'), 'one');
    const accepted = host.site.audit().filter(({ event }) => event === 'commit.accepted');
    assert.deepEqual(
      accepted.map(({ commit, basis }) => [commit, basis]),
      [[first, 'person']],
    );
    assert.equal(await operator.end(), 0);
  });

  test('takes what a known signer signed, keeps the last good when nobody did, and says who wrote what, without git', async (t) => {
    const host = await TrustSite.open(t);
    const first = await host.commit('ada', { 'db.yaml': host.manifest('db', 'one') });
    host.configure({ firstCommit: first });
    const operator = await startAlone(host);
    await operator.line(({ msg }) => msg === 'projected a commit');
    const second = await host.commit('bob', { 'db.yaml': host.manifest('db', 'two') });
    await takes(operator, second);
    assert.equal(host.secret('db'), 'two');
    await eventually(async () => {
      const [{ signer }] = (await operator.status()).sources;
      assert.deepEqual(signer.names, ['bob']);
    });

    const bad = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'stolen') });
    await refuses(operator, 'TRUST_UNSIGNED');
    assert.equal(host.secret('db'), 'two');
    await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
    await eventually(async () => {
      const { sources, secrets } = await operator.status();
      const [{ commit, trouble, refused }] = sources;
      assert.equal(commit, second);
      assert.equal(trouble.data.commit, bad);
      const refusals = refused.map((one: Refused) => [one.path, one.commit, one.author.name].join());
      assert.deepEqual(new Set(refusals), new Set([`db.yaml,${bad},Ada`]));
      assert.deepEqual(
        secrets.map((one: { state: string; trouble: { code: string } }) => [one.state, one.trouble.code]),
        [['failed', 'TRUST_UNSIGNED']],
      );
    });
    await eventually(async () =>
      assert.match(await operator.get('/metrics'), /coffer_source_refused\{source="[0-9a-f]+"\} 1/),
    );

    // A commit on top does not make the one below it good, whoever signs it.
    await host.commit('ada', { 'other.yaml': host.manifest('other', 'x') });
    await refuses(operator, 'TRUST_UNSIGNED');
    assert.equal(host.secret('other'), undefined);
    const reverted = await host.commit('ada', { 'db.yaml': host.manifest('db', 'three') });
    await takes(operator, reverted);
    assert.equal(host.secret('db'), 'three');
    await eventually(async () => assert.deepEqual((await operator.status()).sources[0].refused, []));
    const events = host.site.audit().map(({ event, code }) => (code === undefined ? event : `${event} ${code}`));
    for (const event of ['commit.refused TRUST_UNSIGNED', 'path.refused TRUST_UNSIGNED'])
      assert.ok(events.includes(event));
    assert.equal(await operator.end(), 0);
  });

  test('judges a refused commit again when the policy is another, and nothing new while that cannot be read', async (t) => {
    const host = await TrustSite.open(t, { people: ['ada'] });
    const first = await host.commit('ada', { 'db.yaml': host.manifest('db', 'one') });
    host.configure({ firstCommit: first });
    const operator = await host.site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    host.know('eve');
    const signers = host.site.path('signers');
    const both = readFileSync(signers, 'utf8');
    host.replace('signers', both.split('\n')[0] ?? '');
    const second = await host.commit('eve', { 'db.yaml': host.manifest('db', 'two') });
    await refuses(operator, 'TRUST_SIGNATURE');
    host.replace('signers', `${both.replaceAll('ssh-ed25519', 'ssh-nonsense')}`);
    await operator.wake();
    await operator.line(({ code }) => code?.startsWith('SIGNERS_') === true);
    assert.equal(host.secret('db'), 'one');
    await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
    host.replace('signers', both);
    await takes(operator, second);
    assert.equal(host.secret('db'), 'two');

    // What was accepted is not judged again: a signer who is revoked later takes nothing away.
    host.revoke('eve');
    await operator.end();
    const again = await host.site.start();
    await again.line(({ msg }) => msg === 'brought back the last good state');
    await eventually(async () => assert.match(await again.get('/metrics'), /coffer_polls_total\{[^}]*"succeeded"\} 1/));
    await host.commit('eve', { 'db.yaml': host.manifest('db', 'three') });
    await refuses(again, 'TRUST_SIGNATURE');
    assert.equal(host.secret('db'), 'two');
    assert.equal(await again.end(), 0);
  });
});

test('with perPath one team’s mistake holds back that file, and another team goes on', async (t) => {
  const grants = [
    { signers: ['ada'], paths: ['/payments/**'], may: ['values', 'type', 'removal'] },
    { signers: ['bob'], paths: ['/billing/**'], may: ['values', 'type', 'removal'] },
    { signers: ['root'], may: ['values', 'readers', 'recipients', 'type', 'keyring', 'rules', 'requests', 'removal'] },
  ];
  const host = await TrustSite.open(t, {
    people: ['ada', 'bob', 'root'],
    policy: { grants },
    trust: { perPath: true },
  });
  const files = { 'payments/db.yaml': host.manifest('db', 'one'), 'billing/card.yaml': host.manifest('card', 'one') };
  const first = await host.commit('root', files);
  host.configure({ firstCommit: first });
  const operator = await host.site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');

  const wrong = await host.commit('bob', { 'payments/db.yaml': host.manifest('db', 'taken over') });
  await takes(operator, wrong);
  const right = await host.commit('bob', { 'billing/card.yaml': host.manifest('card', 'two') });
  await takes(operator, right);
  assert.deepEqual([host.secret('db'), host.secret('card')], ['one', 'two']);
  await eventually(async () => {
    const { sources, secrets } = await operator.status();
    assert.equal(sources[0].commit, right);
    assert.equal(sources[0].trouble, undefined);
    const held = sources[0].refused.map(({ path, commit, code }: Record<string, string>) => [path, commit, code]);
    assert.deepEqual(new Set(held.map(String)), new Set([`payments/db.yaml,${wrong},TRUST_NOT_GRANTED`]));
    const db = secrets.find(({ name }: { name: string }) => name === 'db');
    assert.deepEqual([db.state, db.trouble.code, db.since], ['failed', 'TRUST_NOT_GRANTED', wrong]);
    for (const part of [wrong.slice(0, 12), 'Ada', 'payments/db.yaml', 'bob'])
      assert.match(db.trouble.message, new RegExp(part));
  });
  await eventually(async () =>
    assert.match(await operator.get('/metrics'), /coffer_held_paths\{source="[0-9a-f]+"\} 1/),
  );

  // It is held over a restart, and over the state of the clone; the policy alone lets it in.
  assert.equal(await operator.end(), 0);
  const again = await host.site.start();
  await again.line(({ msg }) => msg === 'brought back the last good state');
  assert.equal(host.secret('db'), 'one');
  host.policy({ grants: [{ signers: ['*'], may: grants[2]?.may }] });
  await again.wake();
  await eventually(() => assert.equal(host.secret('db'), 'taken over'));
  await eventually(async () => assert.deepEqual((await again.status()).sources[0].refused, []));
  assert.equal(await again.end(), 0);
});

test('a source that fails, or brings nothing new, for longer than it may raises an alarm for as long, and stays ready', async (t) => {
  const options = { git: { staleAfter: '3s', quietAfter: '4s', interval: '100ms' }, heal: '100ms' };
  const host = await TrustSite.open(t, { ...options, trust: { mode: 'off' } });
  const { tree } = host.site;
  const first = await host.commit(undefined, { 'db.yaml': host.manifest('db', 'one') });
  const operator = await host.site.start();
  await operator.line((line) => line.msg === 'projected a commit' && line.commit === first);
  renameSync(tree.directory, `${tree.directory}-away`);
  await operator.line(({ code }) => code === 'SOURCE_STALE');
  await operator.line(({ code }) => code === 'SOURCE_QUIET');
  const gauges = async () => {
    const text = await operator.get('/metrics');
    const of = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
    return ['coffer_source_stale', 'coffer_source_quiet', 'coffer_source_seconds_since_success'].map(of);
  };
  // The first of the lines may be older: of a start that took long.
  await eventually(async () => {
    const [stale, quiet, age = 0] = await gauges();
    assert.deepEqual([stale, quiet, age > 3], [1, 1, true]);
  });
  const [source] = (await operator.status()).sources;
  assert.ok(source.staleSince !== undefined && source.quietSince === source.acceptedAt);
  await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  renameSync(`${tree.directory}-away`, tree.directory);
  // A busy machine may be asked when it is quiet again.
  let version = 2;
  await eventually(async () => {
    await host.site.push(operator, { 'db.yaml': host.manifest('db', `${version++}`) });
    const [notStale, notQuiet, young = 9] = await gauges();
    assert.deepEqual([notStale, notQuiet, young < 3], [0, 0, true]);
  });
  assert.equal(await operator.end(), 0);
});
