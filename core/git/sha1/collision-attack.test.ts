import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { isAttackedMessage, isCollisionAttack } from './collision-attack.ts';
import { CONDITIONS, DISTURBANCE_VECTORS } from './disturbance-vectors.ts';
import { add, BLOCK, expandBlock, INITIAL, padded, STEPS, stepBack, stepForward } from './sha1.ts';

interface Published {
  source: string;
  /** Base64. */
  messages: readonly string[];
}

const published: readonly Published[] = JSON.parse(readFileSync(join(import.meta.dirname, 'collisions.json'), 'utf8'));

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

for (const { source, messages } of published) {
  describe(source, () => {
    const pair = messages.map((message) => Buffer.from(message, 'base64'));
    test('has one SHA-1', () => {
      assert.equal(new Set(pair.map((bytes) => bytes.toString('hex'))).size, 2);
      assert.equal(new Set(pair.map(sha1)).size, 1);
    });
    for (const [n, message] of pair.entries()) {
      test(`is found in message ${n + 1}, whatever follows it`, () => {
        assert.ok(isAttackedMessage(padded(message)));
        assert.ok(isAttackedMessage(padded(message, Buffer.from('and something else'))));
      });
      test(`is none without the end of message ${n + 1}, or with one bit of it changed`, () => {
        assert.ok(!isAttackedMessage(padded(message.subarray(0, -BLOCK))));
        const changed = Buffer.from(message);
        changed.writeUInt8(changed.readUInt8(message.length - 1) ^ 1, message.length - 1);
        assert.ok(!isAttackedMessage(padded(changed)));
      });
    }
  });
}

test('nothing is found in what nobody attacked', () => {
  const bytes = fc.uint8Array({ maxLength: 2000 });
  fc.assert(fc.property(bytes, fc.constantFrom('commit', 'tree', 'tag'), (any, type) => !isCollisionAttack(type, any)));
});

test('a file that is no text, or that nobody reads for its size, is not looked at', () => {
  const [{ messages: [message = ''] = [] } = {}] = published;
  const attacked = Buffer.from(message, 'base64');
  // What is behind `blob 320` is no attack: the state that its blocks begin with is another one.
  assert.ok(!isCollisionAttack('blob', attacked) && !isCollisionAttack('tree', attacked));
  assert.ok(!isCollisionAttack('blob', Buffer.alloc(2 ** 24 + 1, ' ')));
});

test('the steps are those of SHA-1, and can be taken back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: STEPS }), (bytes, middle) => {
      const message = padded(bytes);
      const words = new Int32Array(STEPS);
      const chaining = INITIAL.slice();
      for (let at = 0; at < message.byteLength; at += BLOCK) {
        expandBlock(message, at, words);
        const state = chaining.slice();
        stepForward(state, words, 0, middle);
        const back = state.slice();
        stepBack(back, words, middle);
        assert.deepEqual(back, chaining);
        stepForward(state, words, middle, STEPS);
        add(chaining, state);
      }
      const digest = Array.from(chaining, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
      assert.equal(digest, sha1(bytes));
    }),
  );
});

test('the vectors are the 32 that git looks for', () => {
  assert.equal(DISTURBANCE_VECTORS.length, 32);
  assert.equal(new Set(DISTURBANCE_VECTORS.map(({ difference }) => difference.join())).size, 32);
  // Over all words, as sha1collisiondetection lists them.
  const all = createHash('sha256');
  for (const { difference, step } of DISTURBANCE_VECTORS) {
    for (const word of difference) all.update(Buffer.from((word >>> 0).toString(16).padStart(8, '0'), 'hex'));
    all.update(`${step}`);
  }
  assert.equal(all.digest('hex'), '725e0deabb417520886f0674b203f0a03214191e8ae62bf8143b59174c330afd');
});

test('a condition names two bits of the steps in which a vector is followed', () => {
  for (let at = 0; at < CONDITIONS.length; at += 6) {
    const [word = 0, bit = 0, other = 0, otherBit = 0, differ = 2, rest = 0] = CONDITIONS.subarray(at, at + 6);
    assert.ok(word >= 35 && word <= 64 && other >= 35 && other <= 64, `${word}, ${other}`);
    assert.ok(bit >= 0 && bit < 32 && otherBit >= 0 && otherBit < 32 && (differ === 0 || differ === 1));
    assert.notEqual(~rest, 0, 'it is of no vector');
  }
});
