import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from '../../test/support/properties.ts';
import { systemRandom } from '../crypto/random.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { createGroup, createKey, createRecipient } from './create.ts';
import { editRecipient } from './edit-recipient.ts';
import { uniteKeys, withNewKey } from './new-key.ts';
import { type KeyStatus, type Recipient, type RecipientKey, readRecipient } from './recipient.ts';
import { renderRecipient } from './recipient-text.ts';

const created = '2026-11-21T09:00:00Z';
const STATUSES: readonly KeyStatus[] = ['active', 'retired', 'revoked'];

let recipient: Recipient;
/** Oldest first, a day apart. */
let keys: RecipientKey[];

before(async () => {
  await sodiumReady();
  const made = createRecipient({ name: 'production', type: 'cluster', created });
  const later = (day: number) => `2026-11-${day}T09:00:00Z`;
  const more = [22, 23, 24, 25].map(
    (day) =>
      createKey({ name: 'production', created: later(day), identitySeed: made.identitySeed, random: systemRandom }).key,
  );
  recipient = made.recipient;
  keys = [...made.recipient.keys, ...more];
});

const read = (text: string) => readRecipient(Buffer.from(text), recipient.file);
const edit = (text: string, wanted: Recipient) => editRecipient(Buffer.from(text), wanted);

/** Some of the keys, in any statuses that one file may have. */
const recipients = () =>
  fc.array(fc.option(fc.constantFrom(...STATUSES)), { minLength: 5, maxLength: 5 }).map((statuses): Recipient => {
    const listed = keys.flatMap((key, index) => {
      const status = statuses[index] ?? undefined;
      return status === undefined ? [] : [{ ...key, status }];
    });
    const newest = listed.toReversed();
    return {
      ...recipient,
      keys: newest.map((key, index) => (index > 0 && key.status === 'active' ? { ...key, status: 'retired' } : key)),
    };
  });

describe('a file of the keyring', () => {
  test('gets a new key as lines above the former one, whose status alone changes; comments and layout stay', () => {
    const [first, second] = keys;
    assert.ok(first && second);
    const text = renderRecipient({ ...recipient, rotationEvery: '90d' })
      .replace('    - id', '    # of the old cluster\n    - id')
      .replace('status: active', "status: 'active' # since May")
      .replaceAll('\n', '\r\n');
    const after = edit(text, withNewKey(read(text), second, { formerStatus: 'retired' }));
    const added = renderRecipient({ ...recipient, keys: [second] })
      .split('\n')
      .slice(8, 13);
    const at = text.indexOf('    # of');
    const expected = text.slice(0, at) + added.map((line) => `${line}\r\n`).join('') + text.slice(at);
    assert.equal(after, expected.replace("'active'", "'retired'"));
    assert.deepEqual(
      read(after).keys.map(({ kid, status }) => [kid, status]),
      [
        [second.kid, 'active'],
        [first.kid, 'retired'],
      ],
    );
  });

  test('says after any change what was wanted, in block style, in flow style and in JSON, and keeps its other lines', () => {
    fc.assert(
      fc.property(recipients(), recipients(), fc.constantFrom('block', 'flow'), (before, other, style) => {
        const wanted = uniteKeys(before, other);
        assert.ok(wanted);
        const block = renderRecipient(before).replace('spec:', 'spec: # kept');
        const text =
          style === 'block' ? block : block.replace(/ {2}keys:[\s\S]*$/, `  keys: ${flowKeys(before)} # kept too\n`);
        const after = edit(text, wanted);
        assert.deepEqual(read(after), wanted);
        assert.equal(edit(after, wanted), after);
        for (const line of text.split('\n')) if (line.includes('kept')) assert.ok(after.includes(line.slice(-10)));
      }),
      { numRuns: 100 },
    );
  });

  test('of a group gets and loses members, and the seeds of each', () => {
    const [key] = keys;
    assert.ok(key);
    const [one, two, three] = ['a', 'b', 'c'].map((name) => ({
      recipient: name,
      kid: key.kid,
      publicKey: key.publicKey,
    }));
    assert.ok(one && two && three);
    const identitySeed = systemRandom(32);
    const group = (...members: (typeof one)[]) =>
      createGroup({ name: 'team', created, members, identitySeed }).recipient;
    const [before, wide] = [group(one, two), group(one, two, three)];
    const [from, to] = [before.keys[0], wide.keys[0]];
    assert.ok(from && to);
    const wanted = {
      ...before,
      members: ['a', 'c'],
      keys: [{ ...from, seeds: new Map([...to.seeds].filter(([name]) => name !== 'b')) }],
    };
    const after = editRecipient(Buffer.from(renderRecipient(before)), wanted);
    assert.equal(after, renderRecipient(wanted));
  });
});

describe('two branches of one recipient', () => {
  test('unite in either order to the same keys, each with the later status, the newest alone active', () => {
    fc.assert(
      fc.property(recipients(), recipients(), (one, other) => {
        const [united, reversed] = [uniteKeys(one, other), uniteKeys(other, one)];
        assert.deepEqual(united?.keys, reversed?.keys);
        assert.ok(united);
        assert.deepEqual(read(renderRecipient(united)), united);
        for (const { kid, status } of [...one.keys, ...other.keys]) {
          const now: KeyStatus | undefined = united.keys.find((key) => key.kid === kid)?.status;
          assert.ok(now !== undefined && STATUSES.indexOf(now) >= STATUSES.indexOf(status));
        }
      }),
    );
  });

  test('of another identity do not, and a key that is older than what is there is not added', () => {
    const [first, second] = keys;
    assert.ok(first && second);
    assert.equal(uniteKeys(recipient, { ...recipient, identity: Buffer.alloc(32, 1) }), undefined);
    const newer = { ...recipient, keys: [second] };
    assert.throws(() => withNewKey(newer, first, { formerStatus: 'retired' }), { code: 'RECIPIENT_KEY_ORDER' });
    assert.equal(withNewKey(newer, second, { formerStatus: 'revoked' }), newer);
  });
});

function flowKeys(of: Recipient): string {
  const text = edit(renderRecipient({ ...of, keys: [] }), of);
  return /keys: (\[.*\])/.exec(text)?.[1] ?? '';
}
