import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { damaged } from '../support/damaged.ts';
import { untilSigned } from './signed.ts';
import { eventually, Site } from './site.ts';
import { fillUp, onTmpfs, overwrite, readEntries, smallTmpfs } from './tmpfs.ts';

describe('promise 1: last good stays', () => {
  test('a bad manifest changes nothing of its own and holds back no other; mended, it is taken up', async (t) => {
    const site = await Site.open(t);
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'good' } }) });
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    await site.push(operator, {
      'db.yaml': damaged(site.manifest({ name: 'db', data: { a: 'never' } })),
      'mail.yaml': site.manifest({ name: 'mail', data: { a: 'new' } }),
    });
    assert.equal(site.read('payments/api/db/a'), 'good');
    assert.equal(site.read('payments/api/mail/a'), 'new');
    await eventually(async () => {
      const { secrets } = await operator.status();
      const db = secrets.find(({ name }: { name: string }) => name === 'db');
      assert.equal(db.state, 'failed');
      assert.equal(db.trouble.code, 'VALUE_REFUSED');
      assert.ok(db.trouble.advice.length > 10);
    });
    await site.push(operator, { 'db.yaml': site.manifest({ name: 'db', data: { a: 'mended' } }) });
    assert.equal(site.read('payments/api/db/a'), 'mended');
    await operator.line(({ msg }) => msg === 'what was wrong is mended');
  });

  test('after a reboot it comes back, although the newest commit is bad', async (t) => {
    const site = await Site.open(t);
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'good' } }) });
    const first = await site.start();
    await first.line(({ msg }) => msg === 'projected a commit');
    await site.push(first, { 'db.yaml': damaged(site.manifest({ name: 'db', data: { a: 'never' } })) });
    await first.kill();
    fs.rmSync(site.projection, { recursive: true });
    const second = await site.start();
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'good'));
    await second.line(({ code }) => code === 'VALUE_REFUSED');
    await second.end();
    fs.rmSync(site.projection, { recursive: true });
    fs.renameSync(site.path('repository'), site.path('away'));
    const third = await site.start();
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'good'));
    await third.line(({ code }) => code?.startsWith('SOURCE_') === true);
  });
});

describe('promise 2: no audit, no secret', () => {
  test('while the log cannot be written nothing new is projected, what was stays, and it goes on by itself', async (t) => {
    const audit = smallTmpfs(t, 4096);
    if (audit === undefined) return;
    const site = await Site.open(t, { audit, interval: '200ms' });
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'old' } }) });
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    const filler = join(audit, 'filler');
    await untilSigned(operator);
    fillUp(filler);
    // Its record is longer than what is left of the log's last block.
    const long = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}`.padEnd(100, 'x'), '1']));
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'new', ...long } }) });
    await operator.line(({ code }) => code === 'AUDIT_FULL');
    assert.equal(site.read('payments/api/db/a'), 'old');
    fs.rmSync(filler);
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'new'));
    await operator.kill();
    const sequences = site.audit().map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => index + 1),
    );
  });
});

describe('promise 3: atomic', () => {
  test('kill -9 at random moments: what a reader finds is always one whole version, and the next run goes on', async (t) => {
    const site = await Site.open(t, { interval: '50ms' });
    const entries = Array.from({ length: 20 }, (_, index) => `entry-${index}`);
    const names = ['one', 'two', 'three'];
    const commit = (version: number) =>
      site.tree.commit(
        Object.fromEntries(
          names.map((name) => {
            const data = Object.fromEntries(entries.map((entry) => [entry, `${version}`]));
            return [`${name}.yaml`, site.manifest({ name, data })];
          }),
        ),
      );
    const check = (): Set<string> => {
      const versions = new Set<string>();
      for (const name of names) {
        const folder = join(site.projection, 'payments/api', name);
        if (!fs.existsSync(folder)) continue;
        const found = readEntries(folder);
        assert.deepEqual(Object.keys(found).sort(), [...entries].sort());
        assert.equal(new Set(Object.values(found)).size, 1, 'a mixture');
        for (const version of Object.values(found)) versions.add(version);
      }
      return versions;
    };
    await commit(0);
    for (let version = 1; version <= 8; version++) {
      const operator = site.spawn();
      await operator.line(({ msg }) => msg === 'starting');
      await commit(version);
      await setTimeout(randomInt(600));
      await operator.kill();
      check();
    }
    const last = await site.start();
    await eventually(() => assert.deepEqual([...check()], ['8']));
    assert.equal(await last.end(), 0, last.output);
    const folders = fs.readdirSync(join(site.projection, 'payments/api'));
    assert.deepEqual(folders.sort(), [...names].sort());
    for (const name of names) {
      assert.equal(fs.readdirSync(join(site.projection, 'payments/api', name)).length, entries.length + 3);
    }
  });
});

describe('promise 4: prunes what it owns, and not in bulk by mistake', () => {
  test('an emptied repository is held until a person confirms', async (t) => {
    const site = await Site.open(t);
    const files = Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [`${name}.yaml`, site.manifest({ name, data: { x: '1' } })]),
    );
    await site.tree.commit(files);
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    const gone = Object.fromEntries(Object.keys(files).map((name) => [name, null]));
    const commit = await site.tree.commit(gone);
    await operator.wake();
    await operator.line((line) => line.level === 'error' && line.commit === commit);
    for (const name of ['a', 'b', 'c', 'd']) assert.equal(site.read('payments/api', name, 'x'), '1');
    assert.equal(await site.spawn('--confirm', commit).exit(), 0);
    await operator.wake();
    await eventually(() => assert.deepEqual(fs.readdirSync(join(site.projection, 'payments/api')), []));
    const lines = site.audit();
    const word = lines.findIndex(({ event, aspect }) => event === 'word.given' && aspect === 'confirm');
    assert.deepEqual([lines[word]?.commit, lines[word]?.actor?.uid], [commit, process.getuid?.()]);
    assert.ok(word < lines.findIndex(({ action }) => action === 'prune'), 'who said so comes before what it did');
  });

  test('a foreign folder where a secret should be is refused, and left alone', async (t) => {
    const site = await Site.open(t);
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    const theirs = join(site.projection, 'payments/api/db');
    fs.mkdirSync(theirs);
    fs.writeFileSync(join(theirs, 'a'), 'theirs');
    await site.push(operator, { 'db.yaml': site.manifest({ name: 'db', readers: ['api'], data: { a: 'ours' } }) });
    await operator.line(({ code }) => code === 'PROJECTION_NOT_OURS');
    assert.deepEqual(readEntries(theirs), { a: 'theirs' });
    await site.push(operator, { 'db.yaml': null });
    assert.deepEqual(readEntries(theirs), { a: 'theirs' });
  });
});

describe('promise 5: heals', () => {
  for (const [how, heal] of [
    ['at once', '1h'],
    ['by the timer', '300ms'],
  ] as const) {
    test(`what others change, ${how}`, async (t) => {
      const site = await Site.open(t, { heal });
      await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: '1', b: '2' } }) });
      const operator = await site.start();
      await operator.line(({ msg }) => msg === 'projected a commit');
      const folder = join(site.projection, 'payments/api/db');
      const outside = site.path('tmp', 'outside');
      fs.writeFileSync(outside, 'outside');
      const aside = onTmpfs(t);
      fs.symlinkSync(outside, join(aside, 'link'));
      // In one step each: what is put back before the second one is in its way.
      for (const disturb of [
        () => fs.renameSync(folder, join(aside, 'db')),
        () => overwrite(join(folder, 'a'), 'changed'),
        () => fs.renameSync(join(aside, 'link'), join(folder, 'a')),
        () => fs.writeFileSync(join(folder, 'added'), ''),
        () => fs.chmodSync(join(folder, '..data'), 0o777),
      ]) {
        disturb();
        await eventually(() => {
          assert.deepEqual(readEntries(folder), { a: '1', b: '2' });
          assert.equal(fs.statSync(join(folder, '..data')).mode & 0o077, 0);
        });
      }
      assert.equal(fs.readFileSync(outside, 'utf8'), 'outside');
      assert.equal(await operator.end(), 0);
      const heals = site.audit().filter(({ event, action }) => event === 'secret.intent' && action === 'heal');
      assert.ok(heals.length >= 4);
    });
  }
});

describe('promise 6: new commits go ahead', () => {
  test('a wake while it is at work is not lost', async (t) => {
    const site = await Site.open(t);
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    for (let version = 0; version < 5; version++) {
      await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: `${version}` } }) });
      await operator.wake();
    }
    await eventually(() => assert.equal(site.read('payments/api/db/a'), '4'));
  });
});

describe('what the machine does to it', () => {
  test('a full tmpfs: the old set stays, it says so, and it goes on by itself', async (t) => {
    const mount = smallTmpfs(t, 128);
    if (mount === undefined) return;
    const site = await Site.open(t, { projection: join(mount, 'run'), interval: '200ms' });
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: 'old' } }) });
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    const filler = join(mount, 'filler');
    fillUp(filler);
    await site.push(operator, { 'db.yaml': site.manifest({ name: 'db', data: { a: 'new' } }) });
    await operator.line(({ code }) => code === 'PROJECTION_FULL');
    assert.deepEqual(readEntries(join(site.projection, 'payments/api/db')), { a: 'old' });
    fs.rmSync(filler);
    await eventually(() => assert.equal(site.read('payments/api/db/a'), 'new'));
  });

  test('a second operator on the same state, audit log or target refuses', async (t) => {
    const site = await Site.open(t);
    await site.start();
    const changes = [
      {},
      { state: { directory: 'other' } },
      { state: { directory: 'other' }, audit: { directory: 'other-audit' } },
    ];
    for (const change of changes) {
      site.configure(change);
      const second = site.spawn();
      assert.equal(await second.exit(), 3);
      assert.match(second.output, /"code":"DIRECTORY_IN_USE"/);
    }
  });

  test('an operator that was killed leaves nothing that keeps the next from starting', async (t) => {
    const site = await Site.open(t);
    await (await site.start()).kill();
    assert.equal(await (await site.start()).end('SIGINT'), 0);
  });

  test('wrong usage and a wrong configuration: exit code 2 and the place', async (t) => {
    const site = await Site.open(t);
    const wrong = site.spawn('--nonsense');
    assert.equal(await wrong.exit(), 2);
    site.configure({ nonsense: 'x' });
    const refused = site.spawn();
    assert.equal(await refused.exit(), 2);
    assert.match(refused.output, /operator\.yaml:\d+:\d+/);
  });

  test('a key directory that others can read: refused at the start', async (t) => {
    const site = await Site.open(t);
    for (const name of fs.readdirSync(site.path('keys'))) fs.chmodSync(site.path('keys', name), 0o644);
    const refused = site.spawn();
    assert.equal(await refused.exit(), 3);
    assert.match(refused.output, /KEY_FILE_MODE/);
  });

  test('a symlink in the repository is not followed', async (t) => {
    const site = await Site.open(t);
    fs.writeFileSync(site.path('outside.yaml'), site.manifest({ name: 'outside', data: { a: '1' } }));
    fs.symlinkSync('../outside.yaml', join(site.tree.directory, 'link.yaml'));
    fs.symlinkSync('/etc', join(site.tree.directory, 'etc'));
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }) });
    const operator = await site.start();
    await operator.line(({ msg }) => msg === 'projected a commit');
    assert.deepEqual(fs.readdirSync(join(site.projection, 'payments/api')), ['db']);
  });

  test('a source that is missing, then empty, then there', async (t) => {
    const site = await Site.open(t, { interval: '100ms' });
    fs.renameSync(site.path('repository'), site.path('away'));
    const operator = await site.start();
    await operator.line(({ code }) => code?.startsWith('SOURCE_') === true);
    await eventually(async () => assert.match(await operator.get('/readyz'), /^503/));
    await eventually(async () => assert.match(await operator.get('/healthz'), /^200/));
    fs.renameSync(site.path('away'), site.path('repository'));
    await site.tree.commit({ 'db.yaml': site.manifest({ name: 'db', data: { a: '1' } }) });
    await eventually(() => assert.equal(site.read('payments/api/db/a'), '1'));
    await eventually(async () => assert.match(await operator.get('/readyz'), /^200/));
  });
});
