import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GitHttpServer } from '../servers/git-http.ts';
import { damaged } from '../support/damaged.ts';
import { eventually, Site, USERS } from './site.ts';
import { isRoot } from './tmpfs.ts';

const CANARY = 'canary-7be1c06d';
/** The ways in which a value could be written somewhere. */
const FORMS = [
  CANARY,
  Buffer.from(CANARY).toString('hex'),
  // Whatever stands before it: base64 without the characters that the neighbours touch.
  ...[0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${CANARY}`)
      .toString('base64')
      .slice(4, -4),
  ),
];

describe('from a commit to a file', () => {
  test('each workload gets what it may read, and follows changes and removals', async (t) => {
    const site = await Site.open(t);
    await site.tree.commit({
      'db.yaml': site.manifest({ name: 'db', readers: ['api'], data: { password: 'one', user: 'shop' } }),
      'deep/er/mail.yaml': site.manifest({ name: 'mail', data: { token: 't' } }),
      'elsewhere.yaml': site.manifest({ name: 'elsewhere', to: [site.staging], data: { a: '1' } }),
      'notes.yaml': 'not: ours\n',
    });
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    assert.equal(site.read('payments/api/db/password'), 'one');
    assert.equal(site.read('payments/api/mail/token'), 't');
    assert.equal(site.read('payments/worker/mail/token'), 't');
    assert.ok(!fs.existsSync(join(site.projection, 'payments/worker/db')));
    assert.ok(!fs.existsSync(join(site.projection, 'payments/api/elsewhere')));
    assert.deepEqual(fs.readdirSync(join(site.projection, 'billing/api')), []);
    const { mode, uid } = fs.statSync(join(site.projection, 'payments/api/db/password'));
    assert.deepEqual([mode & 0o777, uid], [0o400, USERS.api]);

    await site.push(operator, {
      'db.yaml': site.manifest({ name: 'db', readers: ['worker'], data: { password: 'two' } }),
    });
    assert.equal(site.read('payments/worker/db/password'), 'two');
    assert.ok(!fs.existsSync(join(site.projection, 'payments/api/db')));

    await site.push(operator, { 'db.yaml': null });
    assert.ok(!fs.existsSync(join(site.projection, 'payments/worker/db')));
    assert.equal(site.read('payments/api/mail/token'), 't');
    assert.equal(await operator.end(), 0, operator.output);
  });

  test('says what it is doing: health, readiness, metrics, status', async (t) => {
    const site = await Site.open(t);
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }), 'bad.yaml': broken(site) });
    const operator = await site.start();
    const { commit } = await operator.line(({ msg }) => msg === 'projected a commit');
    await eventually(async () => assert.match(await operator.get('/healthz'), /^200/));
    await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
    await eventually(async () => {
      const { secrets, sources } = await operator.status();
      assert.equal(sources[0].commit, commit);
      assert.deepEqual(secrets.find(({ name }: { name: string }) => name === 'db')?.workloads, [
        'payments/api',
        'payments/worker',
      ]);
    });
    // The look is over a moment after the commit is projected.
    await eventually(async () => {
      const metrics = await operator.get('/metrics');
      assert.match(metrics, /coffer_secrets\{state="ready"\} 1/);
      assert.match(metrics, /coffer_polls_total\{[^}]*result="succeeded"\} 1/);
    });
    await eventually(() => assert.match(operator.output, /"level":"error".*bad\.yaml/));
  });

  test('over HTTP with a password, woken by POST', async (t) => {
    const auth = { username: 'operator', password: 'git-password' };
    const git: Record<string, unknown> = { allowHttp: true, usernameFile: 'username', passwordFile: 'password' };
    const site = await Site.open(t, { git });
    const server = await GitHttpServer.start({ root: site.root, auth });
    t.after(() => server.close());
    git.url = `${server.url}/repository/.git`;
    site.configure();
    fs.writeFileSync(site.path('username'), `${auth.username}\n`);
    fs.writeFileSync(site.path('password'), `${auth.password}\n`);
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    await site.push(operator, { 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }) });
    assert.equal(site.read('payments/api/db/a'), '1');
    assert.ok(!operator.output.includes(auth.password));
  });

  test('--once looks once, and its exit code says whether all is well', async (t) => {
    const site = await Site.open(t);
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }) });
    assert.equal(await site.spawn('--once').exit(), 0);
    assert.equal(site.read('payments/api/db/a'), '1');
    await site.tree.commit({ 'bad.yaml': broken(site) });
    const failing = site.spawn('--once');
    assert.equal(await failing.exit(), 1);
    assert.match(failing.output, /bad\.yaml/);
    assert.equal(site.read('payments/api/db/a'), '1');
  });
});

describe('promise 2: no audit, no secret', () => {
  test('each projection has its intent on disk first: who, what, when, from which commit, with which key, to whom', async (t) => {
    const site = await Site.open(t);
    const operator = await site.start();
    const commit = await site.push(operator, { 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }) });
    await operator.end();
    const records = site.audit();
    const intent = records.find(({ event }) => event === 'secret.intent');
    assert.partialDeepStrictEqual(intent, {
      action: 'project',
      cluster: 'production',
      namespace: 'payments',
      name: 'db',
      commit,
      author: { name: 'Ada', email: 'ada@example.org' },
      path: 'db.yaml',
      entries: ['a'],
      workloads: ['payments/api', 'payments/worker'],
      keyIds: [site.production.recipient.keys[0]?.kid],
    });
    const outcome = records.find(
      ({ event, operation }) => event === 'secret.outcome' && operation === intent?.operation,
    );
    assert.equal(outcome?.outcome, 'written');
    assert.deepEqual(
      records.map(({ sequence }) => sequence),
      records.map((_, index) => index + 1),
    );
    assert.equal(records.at(-1)?.event, 'operator.stopped');
  });
});

describe('promise 5: a second run over the same commit', () => {
  test('writes nothing, and tells no workload', async (t) => {
    const site = await Site.open(t, {
      onChange: { command: ['/bin/sh', '-c', 'echo x >> "$0"', join(import.meta.dirname, 'x')] },
    });
    const heard = site.path('heard');
    const workload = { uid: USERS.api, onChange: { command: ['/bin/sh', '-c', 'echo told >> "$0"', heard] } };
    site.configure({
      projections: [{ directory: { path: site.projection, workloads: [{ name: 'payments/api', ...workload }] } }],
    });
    await site.tree.commit({
      'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }),
      'mail.yaml': site.manifest({ name: 'mail', data: { a: '1' } }),
    });
    assert.equal(await site.spawn('--once').exit(), 0);
    const set = fs.realpathSync(join(site.projection, 'payments/api/db/..data'));
    const { ctimeMs } = fs.statSync(set);
    assert.equal(fs.readFileSync(heard, 'utf8'), 'told\n');
    const before = site.audit().length;
    assert.equal(await site.spawn('--once').exit(), 0);
    assert.equal(fs.statSync(set).ctimeMs, ctimeMs);
    assert.equal(fs.readFileSync(heard, 'utf8'), 'told\n');
    const outcomes = site
      .audit()
      .slice(before)
      .flatMap(({ outcome }) => outcome ?? []);
    assert.ok(
      outcomes.every((outcome) => outcome === 'unchanged'),
      String(outcomes),
    );
  });
});

describe('promise 7: plaintext stays where it must be', () => {
  test('in no output, file, argument or environment, while things go well and while they do not', async (t) => {
    const site = await Site.open(t);
    const good = site.manifest({ name: 'db', data: { password: CANARY, other: `x${CANARY}y` } });
    await site.tree.commit({ 'db.yaml': good });
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    assert.equal(site.read('payments/api/db/password'), CANARY);
    await site.push(operator, { 'db.yaml': good.replace('"password"', '"moved"'), 'bad.yaml': broken(site) });
    await operator.get('/nowhere');
    const { pid } = operator.child;
    const places: Record<string, Buffer> = {
      status: Buffer.from(await operator.get('/status')),
      metrics: Buffer.from(await operator.get('/metrics')),
      arguments: fs.readFileSync(`/proc/${pid}/cmdline`),
      environment: fs.readFileSync(`/proc/${pid}/environ`),
    };
    await operator.end();
    places.output = Buffer.from(operator.output);
    for (const { path, bytes } of site.files()) places[path] = bytes;
    assert.ok(Object.keys(places).some((path) => path.includes('/state/')));
    for (const [place, bytes] of Object.entries(places)) {
      for (const form of FORMS) assert.ok(!bytes.includes(form), `${form} in ${place}`);
    }
  });
});

describe('promise 8: what is not sealed is not projected', () => {
  test('plaintext found in git is an error with file, line and entry', async (t) => {
    const site = await Site.open(t);
    const text = site
      .manifest({ name: 'db', data: { a: '1' } })
      .replace('"data": {', `"data": {\n"plain": "${CANARY}",`);
    await site.tree.commit({ 'db.yaml': text });
    const operator = await site.start();
    const line = await operator.line(({ level }) => level === 'error');
    assert.equal(line.code, 'MANIFEST_PLAINTEXT');
    assert.match(String(line.place), /^db\.yaml:\d+/);
    assert.equal(line.entry, 'plain');
    assert.ok(!operator.output.includes(CANARY));
    assert.ok(!fs.existsSync(join(site.projection, 'payments/api/db')));
  });
});

test('unprivileged, an operator serves the workloads of its own user', {
  skip: !isRoot && 'SKIPPED: needs root to become somebody else',
}, async (t) => {
  const site = await Site.open(t, { user: 65534 });
  await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }) });
  site.giveTo(65534);
  const operator = await site.start();
  await operator.line(({ msg }) => msg === 'projected a commit');
  assert.equal(site.read('payments/api/db/a'), '1');
  const { uid, mode } = fs.statSync(join(site.projection, 'payments/api'));
  assert.deepEqual([uid, mode & 0o777], [65534, 0o700]);
  await operator.end();
  site.configure({
    projections: [{ directory: { path: site.projection, workloads: [{ name: 'payments/api', uid: 1 }] } }],
  });
  const refused = site.spawn();
  assert.equal(await refused.exit(), 3);
  assert.match(refused.output, /PROJECTION_UNPRIVILEGED/);
});

/** A sealed value with one bit of it changed. */
function broken(site: Site): string {
  return damaged(site.manifest({ name: 'bad', data: { a: '1' } }));
}
