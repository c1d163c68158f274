import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import { Signers } from '../../core/signatures/signers.ts';
import { matchesPatternList } from '../../core/signatures/ssh/pattern-list.ts';
import fc from '../support/properties.ts';
import { sshFiles, withSignature } from './signing-tree.ts';
import { sshSignature, string, uint32 } from './wire.ts';

/** Whatever is written into objects, signatures and files of signers: an answer or a CofferError, and never a good one. */

const root = mkdtempSync(join(tmpdir(), 'coffer-fuzz-'));
after(() => rmSync(root, { recursive: true }));

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const point = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url');
const blob = Buffer.concat([string('ssh-ed25519'), string(point)]);
const allowed = `ada@example.org namespaces="git",valid-after="20200101Z" ssh-ed25519 ${blob.toString('base64')} comment\n`;
const OID = '1'.repeat(40);
const person = 'Ada <ada@example.org> 1700000000 +0000';
const payload = `tree ${OID}\nparent ${OID}\nauthor ${person}\ncommitter ${person}\n\nChange\n\nMore\n`;
const tagPayload = `object ${OID}\ntype commit\ntag v1\ntagger ${person}\n\nOne\n`;
const signed = (message: string) =>
  sshSignature(Buffer.from(message), {
    publicKey: blob,
    sign: (data) => Buffer.concat([string('ssh-ed25519'), string(sign(null, data, privateKey))]),
  });
const commit = withSignature(payload, signed(payload));
const tag = Buffer.from(tagPayload + signed(tagPayload));
const NOW = new Date();

/** Edits of something real reach further into a grammar than noise. */
type Edit = { at: number; remove: number; insert: Uint8Array };
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(),
  remove: fc.oneof(fc.constant(1), fc.constant(0), fc.nat(40)),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc
      .constantFrom(
        '\n',
        ' ',
        '\n ',
        '\n\n',
        '\0',
        '\r\n',
        '=',
        '"',
        ',',
        '!',
        'gpgsig ',
        'parent ',
        '-----END SSH SIGNATURE-----\n',
      )
      .map((text) => Buffer.from(text)),
  ),
});

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  return edits.reduce((now, { at, remove, insert }) => {
    const start = at % (now.length + 1);
    return Buffer.concat([now.subarray(0, start), insert, now.subarray(start + remove)]);
  }, bytes);
}

const edits = fc.array(edit, { minLength: 1, maxLength: 3 });

/** What `act` gives, or undefined where it threw what it may throw. */
async function orRefused<T>(act: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof CofferError) return undefined;
    throw error;
  }
}

describe('whatever is changed', () => {
  for (const [type, object, length] of [
    ['commit', commit, payload],
    ['tag', tag, tagPayload],
  ] as const) {
    test(`of a signed ${type}, it counts only while message and signature are the same`, async () => {
      const signers = await Signers.read(sshFiles(allowed));
      const whole = readSigned(type, OID, object);
      assert.equal((await signers.verify(whole, NOW)).outcome, 'good');
      assert.equal(whole.payload.toString(), length);
      await fc.assert(
        fc.asyncProperty(edits, async (changes) => {
          const found = await orRefused(() => readSigned(type, OID, edited(object, changes)));
          if (found === undefined) return;
          const { outcome } = await signers.verify(found, NOW);
          if (outcome === 'good') {
            assert.deepEqual(found.payload, whole.payload);
            assert.equal(base64Of(found.signature?.text), base64Of(whole.signature?.text));
          }
        }),
        { numRuns: 3000 },
      );
    });
  }

  test('of the bytes of a signature, it counts no more', async () => {
    const signers = await Signers.read(sshFiles(allowed));
    const armored = signed(payload);
    const bytes = Buffer.from(base64Of(Buffer.from(armored)), 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const text = `-----BEGIN SSH SIGNATURE-----\n${flipped.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
      const { outcome } = await signers.verify(readSigned('commit', OID, withSignature(payload, text)), NOW);
      assert.equal(outcome, 'refused', `bit ${bit}`);
    }
  });

  test('of the file of signers, nobody else becomes one', async () => {
    const signature = readSigned('commit', OID, commit);
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const signers = await orRefused(() => Signers.read(sshFiles(edited(Buffer.from(allowed), changes))));
        const judged = await signers?.verify(signature, NOW);
        if (judged?.outcome === 'good') assert.ok(judged.signer.key.startsWith('SHA256:'));
      }),
      { numRuns: 3000 },
    );
  });

  test('of a revocation list, it is read as it is or not at all', async () => {
    writeFileSync(join(root, 'key.pub'), `ssh-ed25519 ${blob.toString('base64')}\n`);
    writeFileSync(join(root, 'spec'), `sha1: ssh-ed25519 ${blob.toString('base64')}\nserial: 3-9\nid: x\n`);
    execFileSync('ssh-keygen', ['-q', '-k', '-f', 'krl', '-s', 'key.pub', 'key.pub', 'spec'], { cwd: root });
    const krl = readFileSync(join(root, 'krl'));
    const signature = readSigned('commit', OID, commit);
    const outcomeWith = async (list: Buffer) => {
      const signers = await orRefused(() => Signers.read(sshFiles(allowed, list)));
      return (await signers?.verify(signature, NOW))?.outcome;
    };
    assert.equal(await outcomeWith(krl), 'refused');
    for (let end = 8; end < krl.length; end += 1) {
      // A list that ends between two sections is one; nothing says how many there are.
      const outcome = await outcomeWith(krl.subarray(0, end));
      assert.ok(outcome === undefined || outcome === 'refused' || isBetweenSections(krl, end), `cut at ${end}`);
    }
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        await outcomeWith(edited(krl, changes));
      }),
      { numRuns: 2000 },
    );
    const unknown = Buffer.concat([krl, Buffer.of(77), uint32(0)]);
    assert.equal(await outcomeWith(unknown), undefined);
  });
});

function isBetweenSections(krl: Buffer, end: number): boolean {
  let at = 8 + 4 + 8 + 8 + 8;
  for (let field = 0; field < 2; field += 1) at += 4 + krl.readUInt32BE(at);
  for (; at < end; at += 5 + krl.readUInt32BE(at + 1));
  return at === end;
}

const base64Of = (armored: Buffer = Buffer.alloc(0)): string =>
  armored
    .toString('latin1')
    .split('\n')
    .filter((line) => !line.startsWith('-----'))
    .join('');

describe('noise', () => {
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  test('ends in an answer or a CofferError wherever it is read', async () => {
    const signers = await Signers.read(sshFiles(allowed));
    await fc.assert(
      fc.asyncProperty(noise, async (bytes) => {
        const armored = `-----BEGIN SSH SIGNATURE-----\n${bytes.toString('base64')}\n-----END SSH SIGNATURE-----\n`;
        const object = await orRefused(() => readSigned('commit', OID, withSignature(payload, armored)));
        if (object !== undefined) assert.equal((await signers.verify(object, NOW)).outcome, 'refused');
        for (const type of ['commit', 'tag'] as const) await orRefused(() => readSigned(type, OID, bytes));
        await orRefused(() => Signers.read(sshFiles(bytes)));
        await orRefused(() => Signers.read(sshFiles(allowed, bytes)));
        await orRefused(() =>
          Signers.read(sshFiles(allowed, Buffer.concat([Buffer.from('SSHKRL\n\0\0\0\0\x01'), bytes]))),
        );
        await orRefused(() => Signers.read({ openpgp: { keys: [{ name: 'x', file: 'x', bytes }], revoked: [] } }));
      }),
      { numRuns: 1000 },
    );
  });
});

test('patterns of principals match as ssh-keygen matches them', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 6 });
  const list = fc.array(fc.tuple(fc.boolean(), pattern), { minLength: 1, maxLength: 3 });
  const lists = list.map((all) => all.map(([isNegated, one]) => `${isNegated ? '!' : ''}${one}`).join(','));
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 });
  const file = join(root, 'allowed');
  fc.assert(
    fc.property(fc.array(lists, { minLength: 30, maxLength: 30 }), name, (all, principal) => {
      const line = (principals: string) => `${principals} ssh-ed25519 ${blob.toString('base64')}\n`;
      writeFileSync(file, `${all.map(line).join('')}${line(`${principal},last`)}`);
      const said = execFileSync('ssh-keygen', ['-Y', 'match-principals', '-I', principal, '-f', file]).toString();
      const ours = all.filter((principals) => matchesPatternList(principal, principals));
      assert.deepEqual(said.trimEnd().split('\n'), [...ours, `${principal},last`]);
    }),
    { numRuns: 30 },
  );
});

test('patterns and options that would make a careless matcher slow are judged at once', async () => {
  const start = process.cpuUsage();
  assert.equal(matchesPatternList('a'.repeat(1000), `${'*a'.repeat(400)}b`), false);
  const hostile = [
    `x ${'a="\\'.repeat(100_000)}`,
    `x ${'namespaces="git",'.repeat(100_000)}`,
    `"${' '.repeat(1_000_000)}`,
    `${','.repeat(1_000_000)} x`,
    `x${' '.repeat(1_000_000)}`,
    `${'\n'.repeat(1_000_000)}`,
  ];
  for (const line of hostile) await orRefused(() => Signers.read(sshFiles(line, line)));
  const headers = Buffer.from(`tree ${OID}\n${'\n'.repeat(50_000)}`);
  await orRefused(() => readSigned('commit', OID, Buffer.concat([commit.subarray(0, -20), headers])));
  await orRefused(() => readSigned('commit', OID, withSignature(payload, `${signed(payload)}${'\n'.repeat(60_000)}`)));
  await orRefused(() => readSigned('tag', OID, Buffer.concat([tag, Buffer.from(`${'\n'.repeat(1_000_000)}x`)])));
  const many = `tree ${OID}\nauthor ${person}\ncommitter ${person}\n${'mergetag x\n y\n'.repeat(200_000)}\n`;
  await orRefused(() => readSigned('commit', OID, Buffer.from(many)));
  const { user } = process.cpuUsage(start);
  assert.ok(user < 10_000_000, `${user / 1000} ms`);
});
