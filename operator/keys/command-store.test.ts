import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { keyIdOfSeed } from '../../core/keys/key-id.ts';
import { secretKeyText } from '../../core/keys/key-texts.ts';
import { eventually } from '../../test/operator/site.ts';
import { CommandKeyStore } from './command-store.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/keys-by-command/coffer-keys');

let folder: string;
const said: string[] = [];

before(async () => {
  await sodiumReady();
  folder = mkdtempSync(join(tmpdir(), 'coffer-command-'));
  execFileSync(
    'openssl',
    'req -x509 -newkey rsa:2048 -nodes -keyout private.pem -out certificate.pem -subj /CN=keys -days 1'.split(' '),
    { cwd: folder, stdio: 'ignore' },
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

function example(place: string, now?: () => number): CommandKeyStore {
  const run = [EXAMPLE, join(folder, place), join(folder, 'certificate.pem'), join(folder, 'private.pem')];
  return store(run, now === undefined ? {} : { now });
}

function store(run: readonly string[], options: { now?: () => number; timeout?: number } = {}): CommandKeyStore {
  return new CommandKeyStore({
    run,
    timeout: 240_000,
    cluster: 'production',
    said: (line) => said.push(line),
    ...options,
  });
}

/** A program that does as this shell script says; `$1` is the verb and `$2` the name. */
function program(script: string): CommandKeyStore {
  return store(['/bin/sh', '-c', script, 'program']);
}

/** Not a zombie that nobody has waited for. */
function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

describe('keys by the program of the example', () => {
  test('an empty place has no key and no identity', async () => {
    const keys = example('empty');
    assert.deepEqual([(await keys.read()).keys.size, await keys.readIdentity()], [0, undefined]);
  });

  test('a key and an identity that were stored are given back, and nothing of them is in the clear on disk', async () => {
    const keys = example('stored');
    const [seed, identitySeed] = [randomBytes(32), randomBytes(32)];
    await keys.storeIdentity(identitySeed);
    await keys.store(seed);
    await keys.store(seed);
    assert.deepEqual([...(await keys.read()).keys.values()], [{ kid: keyIdOfSeed(seed), seed }]);
    assert.deepEqual(await keys.readIdentity(), identitySeed);
    for (const file of readdirSync(join(folder, 'stored'))) {
      assert.doesNotMatch(readFileSync(join(folder, 'stored', file), 'latin1'), /COFFER/);
    }
  });

  test('a key that was removed is gone, also for who has just read it; that there is none is no error', async () => {
    const keys = example('removed');
    const [first, second] = [randomBytes(32), randomBytes(32)];
    await keys.store(first);
    await keys.store(second);
    (await keys.read()).wipe();
    await keys.remove(keyIdOfSeed(first));
    await keys.remove(keyIdOfSeed(first));
    assert.deepEqual([...(await keys.read()).keys.keys()], [keyIdOfSeed(second)]);
  });

  test('an identity that is there is never replaced', async () => {
    const first = randomBytes(32);
    await example('twice').storeIdentity(first);
    await assert.rejects(example('twice').storeIdentity(randomBytes(32)), { code: 'IDENTITY_EXISTS' });
    assert.deepEqual(await example('twice').readIdentity(), first);
  });

  test('what was read is used again for a minute, whatever the reader wiped, and then asked for again', async () => {
    let now = 0;
    const keys = example('kept', () => now);
    await keys.store(randomBytes(32));
    (await keys.read()).wipe();
    rmSync(join(folder, 'kept'), { recursive: true });
    const kept = await keys.read();
    assert.ok([...kept.keys.values()].every(({ kid, seed }) => kid === keyIdOfSeed(seed)));
    now = 60_001;
    assert.equal((await keys.read()).keys.size, 0);
  });

  test('a damaged file is a problem of that key alone', async () => {
    const [good, bad] = [randomBytes(32), randomBytes(32)];
    const keys = example('damaged');
    await keys.store(good);
    const other = secretKeyText(bad).toString();
    const listing = `case $1 in list) echo ${keyIdOfSeed(good)}.key; echo ${keyIdOfSeed(bad)}.key ;; read)
      case $2 in ${keyIdOfSeed(good)}.key) echo ${other.slice(0, -3)}xyz ;; *) echo ${other} ;; esac ;; esac`;
    const read = await program(listing).read();
    assert.deepEqual([...read.keys.keys()], [keyIdOfSeed(bad)]);
    assert.deepEqual(
      read.problems.map(({ code }) => code),
      ['KEY_TEXT_MISTYPED'],
    );
  });
});

describe('a program for keys that fails', () => {
  const FAILED = { code: 'KEYS_COMMAND_FAILED', loop: 'retry' };

  test('is told apart from one without keys', async () => {
    await assert.rejects(program('exit 1').read(), FAILED);
    await assert.rejects(store(['/nowhere/program']).read(), FAILED);
    await assert.rejects(program('kill -9 $$').read(), FAILED);
    await assert.rejects(program('exit 2').remove('0'.repeat(32)), FAILED);
    await assert.rejects(program(`[ "$1" = list ] && echo production.identity; exit 3`).readIdentity(), FAILED);
  });

  test('is ended when it takes too long, with its children', async () => {
    const pid = join(folder, 'child');
    const script = `sleep 100000 & echo $! > ${pid}.new; mv ${pid}.new ${pid}; wait`;
    // On a busy machine it may not have come to its child by then.
    do await assert.rejects(store(['/bin/sh', '-c', script], { timeout: 300 }).read(), FAILED);
    while (!existsSync(pid));
    await eventually(() => assert.ok(!isRunning(readFileSync(pid, 'utf8').trim())));
  });

  test('is ended when it prints without end', async () => {
    await assert.rejects(program('yes').read(), FAILED);
  });

  test('is heard in the log, but for the keys that it says', async () => {
    said.length = 0;
    const secret = secretKeyText(randomBytes(32)).toString();
    await assert.rejects(program(`echo "denied: ${secret} $(printf '\\033[31m')" >&2; exit 1`).read(), FAILED);
    assert.match(said.join('\n'), /^denied: \[a key\]/);
    assert.ok(!said.join('').includes(secret.slice(16, 24)) && !said.join('').includes('\u001b'));
  });

  test('gets no name that could lead elsewhere', async () => {
    const asked = join(folder, 'asked');
    writeFileSync(asked, '');
    const script = `[ "$1" = list ] && printf '../../etc/passwd.key\\n--help.identity\\n' || echo "$2" >> ${asked}`;
    assert.equal((await program(script).read()).keys.size, 0);
    assert.equal(readFileSync(asked, 'utf8'), '');
  });
});
