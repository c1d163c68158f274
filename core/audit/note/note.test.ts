import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testSigner } from '../../../test/support/log-signer.ts';
import fc from '../../../test/support/properties.ts';
import { checkpointText, parseCheckpoint, readCheckpoint } from './checkpoint.ts';
import { parseProof, writeProof } from './proof-text.ts';
import { isSignedBy, keyIdOf, noteOf, parseNote } from './signed-note.ts';

/** The example of golang.org/x/mod/sumdb/note. */
const GO = {
  name: 'PeterNeumann',
  keyId: 'c74f20a3',
  key: Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1),
  note: `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`,
};

const ORIGIN = 'coffer.dev/audit/production/0123456789abcdef';
const signer = testSigner(Buffer.alloc(32, 1));

async function signed(text: string, name = ORIGIN, by = signer): Promise<string> {
  const { publicKey, signature } = (await by.sign(Buffer.from(text))) ?? assert.fail();
  return noteOf(text, name, publicKey, signature);
}

const TEXT = checkpointText({ origin: ORIGIN, size: 3, root: Buffer.alloc(32, 2) });

describe('a signed note', () => {
  test("is read as Go's own package reads it", () => {
    const note = parseNote(GO.note);
    assert.equal(keyIdOf(GO.name, GO.key), GO.keyId);
    assert.deepEqual(
      note.signatures.map(({ name, keyId }) => [name, keyId]),
      [[GO.name, GO.keyId]],
    );
    assert.ok(isSignedBy(note, GO.name, GO.key));
    assert.ok(!isSignedBy(note, GO.name, signer.publicKey));
    assert.ok(!isSignedBy({ ...note, text: `${note.text}!\n` }, GO.name, GO.key));
  });

  test('may bear signatures of others, and none of them counts', async () => {
    const own = await signed(TEXT);
    const others = GO.note.split('\n').at(-2);
    assert.deepEqual(readCheckpoint(`${own}${others}\n`, signer.publicKey).size, 3);
    const byAnother = await signed(TEXT, ORIGIN, testSigner());
    assert.throws(() => readCheckpoint(byAnother, signer.publicKey), { code: 'AUDIT_KEY_REPLACED' });
    const inAnotherName = await signed(TEXT, 'coffer.dev/audit/staging/0123456789abcdef');
    assert.throws(() => readCheckpoint(inAnotherName, signer.publicKey), { code: 'AUDIT_KEY_REPLACED' });
    // A line of ours that is wrong spoils the note, although another of ours is right.
    const line = own.split('\n').at(-2) ?? '';
    const wrong = `${line.slice(0, -6)}AAAAA=`;
    assert.throws(() => readCheckpoint(`${own}${wrong}\n`, signer.publicKey), { code: /AUDIT_/ });
  });

  test('is refused where it is written otherwise', async () => {
    const note = await signed(TEXT);
    for (const changed of [
      '',
      '\n\n',
      note.slice(0, -1),
      note.replace('\n\n', '\n'),
      note.replace('— ', '- '),
      note.replace('\n3\n', '\n03\n'),
      note.replace('\n3\n', '\n-3\n'),
      note.replace('\n3\n', '\n9007199254740993\n'),
      note.replace('\n3\n', '\n3\r\n'),
      note.replace('AgI=\n', 'AgJ=\n'),
      note.replace('AgI=\n', 'AgI=\nextension\n'),
      note.replace('AgI=\n', '\n'),
      note.replace(ORIGIN, 'example.com/log'),
      `${note}x`.repeat(2000),
      note.replace('\n\n', '\n\0\n\n'),
    ])
      assert.throws(
        () => parseCheckpoint(changed),
        { code: 'AUDIT_CHECKPOINT_INVALID' },
        JSON.stringify(changed.slice(0, 99)),
      );
  });

  test('holds no text of which a byte was changed', async () => {
    const note = Buffer.from(await signed(TEXT));
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(note);
        changed[at] = (changed[at] ?? 0) ^ flip;
        assert.throws(() => readCheckpoint(changed.toString(), signer.publicKey), { code: /^AUDIT_/ });
      }),
    );
  });
});

test('a proof is read as it was written, and refused otherwise', () => {
  const proof = {
    entry: Buffer.from('{"a":1}'),
    index: 5,
    proof: [Buffer.alloc(32, 1), Buffer.alloc(32, 2)],
    checkpoint: 'x\n',
  };
  const text = writeProof(proof);
  assert.deepEqual(parseProof(text), proof);
  assert.deepEqual(parseProof(writeProof({ ...proof, proof: [] })).proof, []);
  for (const changed of [
    '',
    text.replace('@v1', '@v2'),
    text.replace(/extra .*\n/, ''),
    text.replace('index 5', 'index 05'),
    text.replace('index 5', 'index -5'),
    text.replace(/\nAQEB/, '\nAQE'),
    text.replace('\n\n', '\n'),
    text.replace('\n\n', '\nAAAA\n\n'),
    text.replace('\n\n', `${`\n${Buffer.alloc(32).toString('base64')}`.repeat(70)}\n\n`),
  ])
    assert.throws(() => parseProof(changed), { code: 'AUDIT_PROOF_INVALID', exit: 1 }, changed.slice(0, 200));
});
