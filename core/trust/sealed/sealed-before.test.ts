import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { smallTmpfs } from '../../../test/operator/tmpfs.ts';
import fc from '../../../test/support/properties.ts';
import { dataKeyId, manifest, sealed, stanza } from '../../../test/trust/manifests.ts';
import { Holding } from '../holding.ts';
import { DigestSet } from './digest-set.ts';
import { SealedBefore } from './sealed-before.ts';
import { type Learnt, Seen } from './sealed-records.ts';
import { scanSealed } from './sealed-scan.ts';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coffer-before-'));
});
after(() => rm(folder, { recursive: true }));

const file = () => join(folder, 'sealed-before');

function seen(...texts: string[]): Learnt {
  const all = new Seen(new Holding());
  for (const text of texts) all.text('k', text);
  return { records: all.records() };
}

describe('what was sealed before', () => {
  test('takes a set of digests that has what was added and nothing else', () => {
    const digest = fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((bytes) => Buffer.from([...bytes.slice(0, 15), 1]));
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 2000 }), digest, (added, other) => {
        const set = new DigestSet(16);
        const real = new Set<string>();
        for (const one of added) {
          assert.equal(set.add(one), !real.has(one.toString('hex')));
          real.add(one.toString('hex'));
        }
        assert.equal(set.size, real.size);
        assert.ok(added.every((one) => set.has(one)));
        assert.equal(set.has(other), real.has(other.toString('hex')));
      }),
      { numRuns: 50 },
    );
  });

  test('stays below 10 MB for 100,000 values, each with a data key and a key of its own', () => {
    const sets = [new DigestSet(16), new DigestSet(16), new DigestSet(16)];
    for (let index = 0; index < 100_000; index++) {
      for (const [at, set] of sets.entries())
        set.add(createHash('sha256').update(`${at} ${index}`).digest().subarray(0, 16));
    }
    assert.ok(sets.reduce((sum, { bytes }) => sum + bytes, 0) < 10_000_000);
  });

  test('survives a crash at any byte: what was written whole is known, and what comes after is not out of step', async () => {
    await (await SealedBefore.open(folder)).close();
    const sealedBefore = await SealedBefore.open(folder);
    await sealedBefore.learn(seen('one', 'two'));
    await sealedBefore.close();
    const whole = await readFile(file());
    for (let length = 0; length <= whole.length; length += 7) {
      await writeFile(file(), whole.subarray(0, length));
      const torn = await SealedBefore.open(folder);
      await torn.learn(seen('three'));
      await torn.close();
      const again = await SealedBefore.open(folder);
      assert.equal(again.hasText('k', 'three'), true, `${length}`);
      assert.equal(again.hasText('k', 'four'), false);
      await again.learn(seen('one', 'two'));
      assert.equal(again.hasText('k', 'two') && again.hasText('k', 'one'), true);
      await again.close();
    }
    await appendFile(file(), Buffer.concat([Buffer.of(99), randomBytes(16)]));
    const later = await SealedBefore.open(folder);
    assert.equal(later.hasText('k', 'three'), true);
    await later.close();
    await truncate(file(), 0);
  });

  test('says so where the disk is full, and learns all of it when there is room', async (t) => {
    const directory = smallTmpfs(t, 64);
    if (directory === undefined) return;
    const many = Array.from({ length: 5000 }, (_, index) => `text ${index}`);
    const sealedBefore = await SealedBefore.open(directory);
    await assert.rejects(sealedBefore.learn(seen(...many)), { code: 'FILE_SYSTEM' });
    await sealedBefore.learn(seen(...many.slice(0, 1000)));
    await sealedBefore.close();
    const again = await SealedBefore.open(directory);
    assert.ok(many.slice(0, 1000).every((text) => again.hasText('k', text)));
    await again.close();
  });

  test('learns twice as well as once, and writes it once', async () => {
    const sealedBefore = await SealedBefore.open(folder);
    await sealedBefore.learn(seen('one'));
    const { length } = await readFile(file());
    await sealedBefore.learn(seen('one'));
    assert.equal((await readFile(file())).length, length);
    await sealedBefore.close();
  });
});

describe('a scan for sealed text', () => {
  function scan(text: string) {
    const found = { texts: [] as string[], keys: [] as string[] };
    scanSealed(Buffer.from(text), {
      text: (id, value) => found.texts.push(`${id} ${value}`),
      key: (id, kid) => found.keys.push(`${id} ${kid}`),
    });
    return found;
  }

  const made = manifest({
    data: { a: sealed('k1', 'v1'), b: sealed('k2', 'v2') },
    keys: {
      [dataKeyId('k1')]: { production: stanza('aa'), staging: stanza('bb') },
      [dataKeyId('k2')]: { production: stanza('aa') },
    },
  });
  const found = {
    texts: [`${dataKeyId('k1')} ${sealed('k1', 'v1')}`, `${dataKeyId('k2')} ${sealed('k2', 'v2')}`],
    keys: [
      `${dataKeyId('k1')} ${'aa'.padEnd(32, '0')}`,
      `${dataKeyId('k1')} ${'bb'.padEnd(32, '0')}`,
      `${dataKeyId('k2')} ${'aa'.padEnd(32, '0')}`,
    ],
  };

  test('finds values, and to which keys their data keys were sealed, in YAML and JSON', () => {
    assert.deepEqual(scan(made), found);
    const json = {
      data: { a: sealed('k1', 'v1'), b: sealed('k2', 'v2') },
      keys: {
        [dataKeyId('k1')]: { production: stanza('aa'), staging: stanza('bb') },
        [dataKeyId('k2')]: { production: stanza('aa') },
      },
    };
    assert.deepEqual(scan(JSON.stringify(json)), found);
    assert.deepEqual(scan(JSON.stringify(json, null, 2)), found);
    assert.deepEqual(scan('CF[1:short:x] CF[1: :: ::: CF[1:'), { texts: [], keys: [] });
  });

  test('costs one pass over whatever a file holds', () => {
    for (const hostile of [
      'CF[1:',
      `${'a'.repeat(32)}:`,
      `CF[1:${'a'.repeat(32)}:`,
      '0'.repeat(33),
      `${'a'.repeat(1557)}:`,
    ]) {
      const text = `CF[1:${hostile.repeat(Math.ceil(4_000_000 / hostile.length))}`;
      const started = process.cpuUsage();
      scan(text);
      const { user } = process.cpuUsage(started);
      assert.ok(user < 3_000_000, `${hostile.slice(0, 20)}: ${user} µs`);
    }
  });
});
