import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process';
import { on, once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  isRoot,
  onDisk,
  onTmpfs,
  overwrite,
  readEntries,
  relink,
  smallTmpfs,
  snapshot,
} from '../../../test/operator/tmpfs.ts';
import type { DirectoryConfig } from '../../config/settings.ts';
import type { Audience } from '../projector.ts';
import type { DirectoryProjector } from './directory-projector.ts';
import { isInMemory } from './memory-filesystem.ts';
import { openDirectoryProjector } from './open-directory-projector.ts';

const UID = isRoot ? 12345 : (process.geteuid?.() ?? 0);
const GID = isRoot ? 12346 : (process.getegid?.() ?? 0);
const OTHER = isRoot ? 12399 : UID;
const CANARY = 'canary-4f7d1c';

const workloads: DirectoryConfig['workloads'] = [
  { name: 'shop/api', uid: UID, gid: GID },
  { name: 'shop/worker', uid: OTHER, gid: GID },
];

interface Place {
  path: string;
  state: string;
}

function place(t: TestContext): Place {
  return { path: join(onTmpfs(t), 'run'), state: onDisk(t) };
}

async function open(t: TestContext, { path, state }: Place, config: Partial<DirectoryConfig> = {}, grace = 0) {
  const options = { cluster: 'production', stateDirectory: state, environment: {}, grace };
  const projector = await openDirectoryProjector({ path, workloads, ...config }, options);
  t.after(() => projector.close());
  return projector;
}

/** An operator that changes its target all the time. */
function write({ path, state }: Place): ChildProcess {
  const program = join(import.meta.dirname, '../../../test/operator/writer.ts');
  return fork(program, [path, state, `${UID}`, `${GID}`]);
}

const secret = { namespace: 'shop', name: 'db', type: 'Opaque' };

function values(entries: Record<string, string>): Map<string, Uint8Array> {
  return new Map(Object.entries(entries).map(([entry, text]) => [entry, Buffer.from(text)]));
}

function to(workload: string, ...entries: string[]): Audience {
  return { workload, entries: new Set(entries) };
}

async function give(projector: DirectoryProjector, entries: Record<string, string>, workload = 'shop/api') {
  return await projector.apply(secret, [to(workload, ...Object.keys(entries))], values(entries));
}

const written = [{ workload: 'shop/api', outcome: 'written' }];
const unchanged = [{ workload: 'shop/api', outcome: 'unchanged' }];
const SET = /\.\.\d{4}(_\d\d){5}\.[0-9a-f]{8}/g;
const withoutSetNames = (found: Record<string, string>) => JSON.parse(JSON.stringify(found).replace(SET, '..SET'));

describe('a directory projection', () => {
  test('gives each workload its own entries, as files that only its user can open', async (t) => {
    const at = place(t);
    const projector = await open(t, at);
    const audience = [to('shop/api', 'password', 'user'), to('shop/worker', 'user')];
    await projector.apply(secret, audience, values({ password: CANARY, user: 'shop', other: 'not asked for' }));
    assert.deepEqual(readEntries(join(at.path, 'shop/api/db')), { password: CANARY, user: 'shop' });
    assert.deepEqual(readEntries(join(at.path, 'shop/worker/db')), { user: 'shop' });
    const found = withoutSetNames(snapshot(at.path));
    const folder = isRoot ? '500' : '700';
    assert.equal(found['shop/api'], `${folder} ${UID}:${GID} folder`);
    assert.equal(found['shop/api/db'], `${folder} ${UID}:${GID} folder`);
    assert.equal(found['shop/api/db/..SET'], `${folder} ${UID}:${GID} folder`);
    assert.equal(found['shop/api/db/..SET/password'], `400 ${UID}:${GID} file ${CANARY}`);
    assert.match(found['.'] ?? '', isRoot ? /^711/ : /^700/);
  });

  test('lets the workload in and other users not', { skip: !isRoot && 'SKIPPED: needs root' }, async (t) => {
    const at = place(t);
    fs.chmodSync(join(at.path, '..'), 0o755);
    await give(await open(t, at), { password: CANARY });
    const read = (uid: number, gid: number) => {
      const credentials = ['--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups'];
      return spawnSync('setpriv', [...credentials, 'cat', join(at.path, 'shop/api/db/password')], { encoding: 'utf8' });
    };
    assert.equal(read(UID, GID).stdout, CANARY);
    for (const stranger of [read(OTHER, GID), read(65534, 65534)]) {
      assert.equal(stranger.stdout, '');
      assert.match(stranger.stderr, /Permission denied/);
    }
  });

  test('holds entries with the longest names, any bytes, and none', async (t) => {
    const at = place(t);
    const entries = { ['e'.repeat(253)]: '\0\n', '.npmrc': '', __proto: 'x'.repeat(300_000) };
    assert.deepEqual(await give(await open(t, at), entries), written);
    assert.deepEqual(readEntries(join(at.path, 'shop/api/db')), entries);
  });

  test('promise 5: a second run over the same values writes nothing, after a restart too', async (t) => {
    const at = place(t);
    const first = await open(t, at);
    assert.deepEqual(await give(first, { a: '1', b: '2' }), written);
    const before = fs
      .readdirSync(at.path, { recursive: true })
      .map((name) => fs.lstatSync(join(at.path, `${name}`)).ctimeMs);
    assert.deepEqual(await give(first, { a: '1', b: '2' }), unchanged);
    await first.close();
    const second = await open(t, at);
    assert.deepEqual([...second.owned()], [{ namespace: 'shop', name: 'db' }]);
    assert.deepEqual(await give(second, { a: '1', b: '2' }), unchanged);
    const after = fs
      .readdirSync(at.path, { recursive: true })
      .map((name) => fs.lstatSync(join(at.path, `${name}`)).ctimeMs);
    assert.deepEqual(after, before);
  });

  test('promise 4: takes away what it projected, also from workloads that may no longer read it', async (t) => {
    const at = place(t);
    const projector = await open(t, at);
    await projector.apply(secret, [to('shop/api', 'a'), to('shop/worker', 'a')], values({ a: '1' }));
    assert.deepEqual(await give(projector, { a: '1' }), [
      { workload: 'shop/api', outcome: 'unchanged' },
      { workload: 'shop/worker', outcome: 'removed' },
    ]);
    assert.deepEqual(fs.readdirSync(join(at.path, 'shop/worker')), []);
    assert.deepEqual(await projector.prune('shop', 'db'), [{ workload: 'shop/api', outcome: 'removed' }]);
    assert.deepEqual(fs.readdirSync(join(at.path, 'shop/api')), []);
    assert.deepEqual([...projector.owned()], []);
    assert.deepEqual(await projector.prune('shop', 'db'), []);
  });

  test('promise 4: takes a secret from a workload that is no longer listed', async (t) => {
    const at = place(t);
    const first = await open(t, at);
    await give(first, { a: '1' }, 'shop/worker');
    await first.close();
    const second = await open(t, at, { workloads: workloads.slice(0, 1) });
    assert.deepEqual(await second.apply(secret, [], new Map()), [{ workload: 'shop/worker', outcome: 'removed' }]);
    assert.ok(!fs.existsSync(join(at.path, 'shop/worker')));
  });

  test('promise 4: neither replaces nor prunes what it did not make', async (t) => {
    for (const plant of [
      (path: string) => fs.mkdirSync(path),
      (path: string) => fs.writeFileSync(path, 'theirs'),
      (path: string) => fs.symlinkSync('/etc', path),
    ]) {
      const at = place(t);
      const projector = await open(t, at);
      plant(join(at.path, 'shop/api/db'));
      const before = snapshot(at.path);
      const [applied] = await give(projector, { a: '1' });
      assert.equal(applied?.outcome, 'refused');
      assert.equal(applied?.error?.code, 'PROJECTION_NOT_OURS');
      await projector.prune('shop', 'db');
      assert.deepEqual(snapshot(at.path), before);
      await projector.close();
    }
  });

  test('refuses a second secret of one name in one workload, the first stays', async (t) => {
    const at = place(t);
    const projector = await open(t, at);
    await give(projector, { a: '1' });
    const [applied] = await projector.apply(
      { ...secret, namespace: 'infra' },
      [to('shop/api', 'a')],
      values({ a: '2' }),
    );
    assert.equal(applied?.error?.code, 'PROJECTION_TAKEN');
    assert.deepEqual(readEntries(join(at.path, 'shop/api/db')), { a: '1' });
  });
});

describe('promise 3: a reader sees the old set or the new one', () => {
  test('while sets change under it', async (t) => {
    const at = place(t);
    const projector = await open(t, at, {}, 200);
    const folder = join(at.path, 'shop/api/db');
    const setOf = (version: number) =>
      Object.fromEntries(['a', 'b', `only-${version % 2}`].map((entry) => [entry, `${version}`]));
    await give(projector, setOf(0));
    const reader = fork(join(import.meta.dirname, '../../../test/operator/reader.ts'), [folder]);
    // Kept for whoever asks: on a busy machine two of them come at once.
    const messages = on(reader, 'message');
    await messages.next();
    const looked = messages.next().then(() => true);
    for (let version = 1; version <= 400 || !(await Promise.race([looked, false])); version++) {
      await give(projector, setOf(version));
      if (version % 20 === 0) await setTimeout(1);
    }
    reader.send('stop');
    const [{ looks, mixtures }] = (await messages.next()).value ?? [];
    assert.ok(looks >= 100, `only ${looks} looks`);
    assert.deepEqual(mixtures, []);
  });

  test('after kill -9 at any point, and the next run clears what was left', async (t) => {
    const at = place(t);
    const folder = join(at.path, 'shop/api/db');
    for (let round = 0; round < 12; round++) {
      const writer = write(at);
      await once(writer, 'message');
      await setTimeout(Math.random() * 25);
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      if (fs.existsSync(folder)) {
        const seen = new Set(
          fs.readdirSync(join(folder, '..data')).map((name) => fs.readFileSync(join(folder, '..data', name), 'utf8')),
        );
        assert.equal(seen.size, 1, 'one version');
        assert.ok([1, 30].includes(fs.readdirSync(join(folder, '..data')).length), 'all of it');
      }
      const projector = await open(t, at);
      await give(projector, { a: `${round}` });
      await projector.close();
      assert.deepEqual(fs.readdirSync(join(at.path, 'shop/api')), ['db']);
      assert.equal(fs.readdirSync(folder).length, 4);
      assert.deepEqual(readEntries(folder), { a: `${round}` });
    }
  });
});

describe('promise 5: puts back what others change', () => {
  const disturbances: Record<string, (folder: string, outside: string) => void> = {
    'a changed file': (folder) => overwrite(join(folder, 'a'), 'X'),
    'a changed file with its times set back': (folder) => {
      const { atime, mtime } = fs.statSync(join(folder, 'a'));
      overwrite(join(folder, 'a'), 'X');
      fs.utimesSync(join(folder, 'a'), atime, mtime);
    },
    'a longer file': (folder) => overwrite(join(folder, 'a'), '1 and more'),
    'a deleted file': (folder) => fs.rmSync(fs.realpathSync(join(folder, 'a'))),
    'a deleted link': (folder) => fs.unlinkSync(join(folder, 'a')),
    'a link led elsewhere': (folder, outside) => relink(join(folder, 'a'), join(outside, 'file')),
    '..data led elsewhere': (folder, outside) => relink(join(folder, '..data'), outside),
    '..data turned into a folder': (folder) => {
      fs.unlinkSync(join(folder, '..data'));
      fs.mkdirSync(join(folder, '..data'));
      fs.writeFileSync(join(folder, '..data', 'a'), 'X');
    },
    'a file turned into a link': (folder, outside) => {
      const file = fs.realpathSync(join(folder, 'a'));
      fs.unlinkSync(file);
      fs.symlinkSync(join(outside, 'file'), file);
    },
    'a file turned into a FIFO': (folder) => {
      const file = fs.realpathSync(join(folder, 'a'));
      fs.unlinkSync(file);
      execFileSync('mkfifo', [file]);
    },
    'a file linked a second time': (folder, outside) =>
      fs.linkSync(fs.realpathSync(join(folder, 'a')), join(outside, 'hard')),
    'a chmod-ed file': (folder) => fs.chmodSync(join(folder, 'a'), 0o444),
    'a chmod-ed folder': (folder) => fs.chmodSync(folder, 0o777),
    'a chmod-ed set': (folder) => fs.chmodSync(join(folder, '..data'), 0o777),
    'an added file': (folder) => fs.writeFileSync(join(folder, 'added'), 'X'),
    'an added file in the set': (folder) => fs.writeFileSync(join(folder, '..data', 'added'), 'X'),
    'an added file whose name is no text': (folder) =>
      fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), 'X'),
    'an added folder': (folder) => {
      fs.mkdirSync(join(folder, 'added', 'deeper'), { recursive: true });
      fs.writeFileSync(join(folder, 'added', 'deeper', 'file'), 'X');
    },
    'an added link to outside': (folder, outside) => fs.symlinkSync(outside, join(folder, 'added')),
    'no mark': (folder) => fs.rmSync(join(folder, '..coffer')),
    'a folder turned into a link': (folder, outside) => {
      fs.renameSync(folder, join(outside, 'moved'));
      fs.symlinkSync(outside, folder);
    },
    'a folder turned into a file': (folder) => {
      fs.rmSync(folder, { recursive: true });
      fs.writeFileSync(folder, 'X');
    },
    'a removed folder': (folder) => fs.rmSync(folder, { recursive: true }),
    "a removed workload's folder": (folder) => fs.rmSync(join(folder, '..'), { recursive: true }),
    "a chmod-ed workload's folder": (folder) => fs.chmodSync(join(folder, '..'), 0o777),
  };

  /** Which inotify does not tell. */
  const unheard = new Set(['a file linked a second time']);

  for (const where of ['disturbed', 'all'] as const) {
    for (const [what, disturb] of Object.entries(disturbances)) {
      if (where === 'disturbed' && unheard.has(what)) continue;
      test(`${what}, found by ${where === 'all' ? 'the timer' : 'inotify'}`, async (t) => {
        const at = place(t);
        const outside = onTmpfs(t);
        fs.writeFileSync(join(outside, 'file'), CANARY);
        const projector = await open(t, at);
        const entries = { a: '1', b: '2' };
        await give(projector, entries);
        const expected = withoutSetNames(snapshot(at.path));
        const untouched = snapshot(outside).file;
        await settled(projector, at);
        disturb(join(at.path, 'shop/api/db'), outside);
        const heal = () => projector.heal(async () => void (await give(projector, entries)), where);
        const isHealed = () => isDeepStrictEqual(withoutSetNames(snapshot(at.path)), expected);
        if (where === 'all') await heal();
        else await disturbedUntil(projector, async () => heal().then(isHealed));
        assert.ok(isHealed());
        assert.equal(snapshot(outside).file, untouched);
      });
    }
  }

  test('and asks once for what cannot be put back, until it changes again', async (t) => {
    const at = place(t);
    const projector = await open(t, at);
    await give(projector, { a: '1' });
    let asked = 0;
    const fail = async () => void asked++;
    fs.chmodSync(join(at.path, 'shop/api/db'), 0o777);
    for (let turn = 0; turn < 3; turn++) await projector.heal(fail, 'all');
    assert.equal(asked, 1);
    fs.chmodSync(join(at.path, 'shop/api/db'), 0o775);
    await projector.heal(fail, 'all');
    assert.equal(asked, 2);
    assert.deepEqual(await give(projector, { a: '1' }), written);
    await projector.heal(fail, 'all');
    assert.equal(asked, 2);
  });

  test('and leaves alone what nobody touched', async (t) => {
    const projector = await open(t, place(t));
    await give(projector, { a: '1' });
    await projector.heal(async () => assert.fail('nothing to heal'), 'all');
    await projector.heal(async () => assert.fail('nothing to heal'), 'disturbed');
  });
});

test('a workload that nests folders without end costs nobody anything', async (t) => {
  const at = place(t);
  const projector = await open(t, at);
  await give(projector, { a: '1' });
  // Deeper than a path can tell: each is made from within the one above it.
  const nest = "for (let i = 0; i < 2000; i++) { fs.mkdirSync('d'); process.chdir('d'); }";
  execFileSync(process.execPath, ['-e', nest], { cwd: fs.mkdtempSync(join(at.path, 'shop/api/db/deep-')) });
  assert.deepEqual(await give(projector, { a: '2' }), written);
  assert.equal(fs.readdirSync(join(at.path, 'shop/api/db')).length, 4);
});

describe('where it projects', () => {
  const refuses = async (t: TestContext, at: Place, code: string, config: Partial<DirectoryConfig> = {}) =>
    assert.rejects(open(t, at, config), { name: 'CofferError', code });

  test('refuses a disk unless the configuration says so', async (t) => {
    const at = { path: join(onDisk(t), 'run'), state: onDisk(t) };
    if (isInMemory(at.path)) return t.skip('SKIPPED: temporary files are in memory here');
    await refuses(t, at, 'PROJECTION_ON_DISK');
    assert.ok(!fs.existsSync(at.path));
    assert.deepEqual(await give(await open(t, at, { allowDisk: true }), { a: '1' }), written);
  });

  test('refuses a folder that holds what no operator made', async (t) => {
    const at = place(t);
    fs.mkdirSync(at.path);
    fs.writeFileSync(join(at.path, 'theirs'), '');
    await refuses(t, at, 'PROJECTION_NOT_OURS');
    assert.deepEqual(fs.readdirSync(at.path), ['theirs']);
  });

  test('refuses a symlink, a file, a folder that others can write to, and another cluster’s', async (t) => {
    const link = place(t);
    fs.symlinkSync(onTmpfs(t), link.path);
    await refuses(t, link, 'PROJECTION_NOT_OURS');
    const file = place(t);
    fs.writeFileSync(file.path, '');
    await refuses(t, file, 'PROJECTION_NOT_OURS');
    const shared = place(t);
    fs.mkdirSync(shared.path);
    fs.chmodSync(shared.path, 0o777);
    await refuses(t, shared, 'PROJECTION_NOT_OURS');
    const staging = place(t);
    const options = { cluster: 'staging', stateDirectory: staging.state, environment: {} };
    await (await openDirectoryProjector({ path: staging.path, workloads }, options)).close();
    await refuses(t, staging, 'PROJECTION_NOT_OURS');
  });

  test('refuses while another operator is at it, and takes over from one that was killed', async (t) => {
    const at = place(t);
    const writer = write(at);
    await once(writer, 'message');
    await refuses(t, at, 'DIRECTORY_IN_USE');
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    await open(t, at);
  });

  test('defaults to the user’s runtime folder, else to shared memory', async (t) => {
    const runtime = onTmpfs(t);
    const options = { cluster: 'production', stateDirectory: onDisk(t), environment: { XDG_RUNTIME_DIR: runtime } };
    const projector = await openDirectoryProjector({ workloads }, options);
    t.after(() => projector.close());
    assert.equal(projector.id, join(runtime, 'coffer'));
  });

  test('a full tmpfs: the old set stays, the error says so, and the next try succeeds', async (t) => {
    const path = smallTmpfs(t, 64);
    if (path === undefined) return;
    const projector = await open(t, { path: join(path, 'run'), state: onDisk(t) });
    await give(projector, { a: '1', b: '2' });
    const before = snapshot(path);
    const [applied] = await give(projector, { a: 'x'.repeat(100_000), c: '3' });
    assert.equal(applied?.outcome, 'refused');
    assert.equal(applied?.error?.code, 'PROJECTION_FULL');
    assert.equal(applied?.error?.loop, 'retry');
    assert.deepEqual(snapshot(path), before);
    assert.deepEqual(await give(projector, { a: 'small' }), written);
    await projector.close();
  });
});

/** Own writes are heard of, and the kernel's clock for change times (10 ms at the slowest, stopped with its processor) ticked. */
async function settled(projector: DirectoryProjector, { path }: Place): Promise<void> {
  const changed = (name: string) => fs.lstatSync(join(path, name)).ctimeMs;
  const last = Math.max(...fs.readdirSync(path, { recursive: true, encoding: 'utf8' }).map(changed));
  do {
    // Between the two is heard all that the system has to tell; a timer may come before it.
    await setImmediate().then(() => setImmediate());
    fs.writeFileSync(join(path, '../clock'), 'tick');
  } while (changed('../clock') <= last);
  await projector.heal(async () => assert.fail('its own writes are no disturbance'), 'disturbed');
}

async function disturbedUntil(projector: DirectoryProjector, isDone: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const heard = Promise.withResolvers<void>();
    projector.onDisturbed(heard.resolve);
    await heard.promise;
    if (await isDone()) return;
  }
}
