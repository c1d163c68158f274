import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { sodiumReady } from '../crypto/sodium.ts';
import { temporaryName } from '../files/atomic.ts';
import { readIdentity, readKeyDirectory, removeSecretKey, storeIdentity, storeSecretKey } from './key-directory.ts';
import { keyIdOfSeed } from './key-id.ts';
import { secretKeyText } from './key-texts.ts';

let root: string;
let directory: string;
let count = 0;

before(async () => {
  await sodiumReady();
  root = await mkdtemp(join(tmpdir(), 'coffer-keys-'));
});
after(() => rm(root, { recursive: true }));
beforeEach(() => {
  count += 1;
  directory = join(root, String(count), 'keys');
});

const seed = randomBytes(32);

async function problemOf(content: string | Buffer, name = `${keyIdOfSeed(seed)}.key`, mode = 0o600) {
  const file = await storeSecretKey(directory, seed);
  await rm(file);
  await writeFile(join(directory, name), content, { mode });
  const { keys, problems } = await readKeyDirectory(directory);
  assert.equal(keys.size, 0);
  assert.equal(problems.length, 1);
  return problems[0];
}

describe('a key directory', () => {
  test('gives back the keys that were stored, and wipes them', async () => {
    const other = randomBytes(32);
    await storeSecretKey(directory, seed);
    await storeSecretKey(directory, other);
    const secretKeys = await readKeyDirectory(directory);
    assert.deepEqual(secretKeys.problems, []);
    assert.deepEqual(secretKeys.keys.get(keyIdOfSeed(seed))?.seed, seed);
    assert.equal(secretKeys.keys.size, 2);
    secretKeys.wipe();
    assert.deepEqual(secretKeys.keys.get(keyIdOfSeed(seed))?.seed, Buffer.alloc(32));
  });

  test('is private, and so is every file in it; nothing else is left there', async () => {
    const files = [await storeSecretKey(directory, seed), await storeIdentity(directory, 'production', seed)];
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    for (const file of files) assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(directory)).sort(), [`${keyIdOfSeed(seed)}.key`, 'production.identity'].sort());
  });

  test('that does not exist holds no keys', async () => {
    const { keys, problems } = await readKeyDirectory(directory);
    assert.equal(keys.size + problems.length, 0);
  });

  test('a file that says more than its key is read: comments, blank lines, other line ends', async () => {
    const file = await storeSecretKey(directory, seed);
    await writeFile(file, `\r\n# mine\r\n  # indented\n\t\n${secretKeyText(seed)}\r\n\n# end`);
    assert.deepEqual((await readKeyDirectory(directory)).keys.get(keyIdOfSeed(seed))?.seed, seed);
  });

  test('a link to a key file is followed, as Kubernetes mounts them', async () => {
    const file = await storeSecretKey(directory, seed);
    await rename(file, join(directory, '..data'));
    await symlink('..data', file);
    assert.equal((await readKeyDirectory(directory)).keys.size, 1);
  });

  test('a file named after another key is refused, and the error says the name', async () => {
    const problem = await problemOf(secretKeyText(seed), `${'0'.repeat(32)}.key`);
    assert.equal(problem?.code, 'KEY_FILE_NAME');
    assert.match(problem?.advice ?? '', new RegExp(`${keyIdOfSeed(seed)}\\.key`));
  });

  test('a file that others can read is refused, and the error says how to mend it', async () => {
    const problem = await problemOf(secretKeyText(seed), undefined, 0o640);
    assert.equal(problem?.code, 'KEY_FILE_MODE');
    assert.match(problem?.advice ?? '', /chmod 600/);
  });

  const refused: [what: string, content: () => string, code: string][] = [
    ['no key', () => '# nothing\n\n', 'KEY_FILE_LINES'],
    ['two keys', () => `${secretKeyText(seed)}\n${secretKeyText(seed)}\n`, 'KEY_FILE_LINES'],
    ['a mistyped key', () => `${secretKeyText(seed)}A\n`, 'KEY_TEXT_MISTYPED'],
    ['a space after the key', () => `${secretKeyText(seed)} \n`, 'KEY_TEXT_MISTYPED'],
    ['something else', () => 'AGE-SECRET-KEY-1\n', 'KEY_TEXT_KIND'],
    ['far too much', () => '#'.repeat(100_000), 'KEY_FILE_LINES'],
  ];
  for (const [what, content, code] of refused) {
    test(`a file with ${what} is refused, and the error names the file and no secret`, async () => {
      const problem = await problemOf(content());
      assert.equal(problem?.code, code);
      assert.ok(problem?.data.path?.startsWith(directory));
      const digits = secretKeyText(seed).toString().slice('COFFER-SECRET-1-'.length);
      assert.ok(!JSON.stringify([problem, problem?.message, problem?.stack]).includes(digits.slice(0, 8)));
    });
  }

  test('one bad file does not hide the others', async () => {
    await storeSecretKey(directory, seed);
    await writeFile(join(directory, `${'0'.repeat(32)}.key`), 'x', { mode: 0o600 });
    const { keys, problems } = await readKeyDirectory(directory);
    assert.equal(keys.size, 1);
    assert.equal(problems.length, 1);
  });

  test('a key is removed with what a write that was killed left of it, and no other', async () => {
    const other = randomBytes(32);
    const [file] = [await storeSecretKey(directory, seed), await storeSecretKey(directory, other)];
    await writeFile(join(directory, temporaryName(basename(file))), await readFile(file), { mode: 0o600 });
    await removeSecretKey(directory, keyIdOfSeed(seed));
    assert.deepEqual(await readdir(directory), [`${keyIdOfSeed(other)}.key`]);
    await removeSecretKey(directory, keyIdOfSeed(seed));
  });

  test('an identity is given back', async () => {
    await storeIdentity(directory, 'production', seed);
    assert.deepEqual(await readIdentity(directory, 'production'), seed);
  });

  test('an identity is never replaced by another of its name', async () => {
    const file = await storeIdentity(directory, 'production', seed);
    const content = await readFile(file);
    await assert.rejects(storeIdentity(directory, 'production', randomBytes(32)), { code: 'IDENTITY_EXISTS' });
    assert.deepEqual(await readFile(file), content);
  });

  test('of two identities of one name that are stored at once, one is, and the other is told', async () => {
    const seeds = [randomBytes(32), randomBytes(32)];
    const stored = await Promise.allSettled(seeds.map((each) => storeIdentity(directory, 'production', each)));
    const kept = stored.findIndex(({ status }) => status === 'fulfilled');
    assert.deepEqual(stored.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    assert.deepEqual(await readIdentity(directory, 'production'), seeds[kept]);
  });

  test('an identity that is not there is an error of the file system', async () => {
    await assert.rejects(readIdentity(directory, 'production'), { code: 'FILE_SYSTEM' });
  });

  test('a directory that cannot be made is an error, and the file in its place stays', async () => {
    await storeSecretKey(directory, seed);
    const [name = ''] = await readdir(directory);
    const file = join(directory, name);
    await assert.rejects(storeSecretKey(file, randomBytes(32)), { code: 'FILE_SYSTEM' });
    await assert.rejects(readKeyDirectory(file), { code: 'FILE_SYSTEM' });
    assert.equal((await readKeyDirectory(directory)).keys.size, 1);
  });
});
