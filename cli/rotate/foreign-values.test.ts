import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotationsOf } from '../../core/format/manifest/rotation.ts';
import type { EncryptedSecret } from '../../schemas/encrypted-secret.ts';
import { foreignValues } from './foreign-values.ts';

type Rows = NonNullable<EncryptedSecret['spec']['rotation']>;

const GENERATED: Rows = { key: { generate: { kind: 'ed25519', public: 'key.pub' }, keepPrevious: '1h' } };
const ROTATOR: Rows = { password: { rotator: 'pg' } };
const WITH_USER: Rows = { ...ROTATOR, username: { secret: false } };

/** `-ENTRY` goes, `ENTRY` gets a new text. */
const CASES: [what: string, rows: Rows, proposed: string, foreign: string][] = [
  [
    'a generated value, its public entry and the former ones',
    GENERATED,
    'key key.pub key.previous key.pub.previous',
    '',
  ],
  ['the end of an overlap', GENERATED, '-key.previous -key.pub.previous', ''],
  ['the end of an overlap whose rule is gone', {}, '-key.previous', ''],
  ['an entry of no rule', GENERATED, 'key user', 'user'],
  ['an entry that a person changes', { token: { every: '90d' } }, 'token', 'token'],
  ['an entry that goes', GENERATED, '-key', '-key'],
  ['a former value of an entry of no rule', GENERATED, 'key user.previous', 'user.previous'],
  ['what a rotator sets beside, that is listed', WITH_USER, 'password username', ''],
  [
    'what a rotator sets beside, with its former value',
    ROTATOR,
    'password username password.previous username.previous',
    '',
  ],
  ['what a rotator is said to set beside', ROTATOR, 'password api-token', 'api-token'],
  ['the same where the rotator’s own entry stays', WITH_USER, 'username', 'username'],
  ['the same with a former value alone', ROTATOR, 'password user.previous', 'user.previous'],
  ['the same that goes', WITH_USER, 'password -username', '-username'],
];

for (const [what, rows, proposed, foreign] of CASES) {
  test(`${what}: ${foreign === '' ? 'taken' : `${foreign} is foreign`}`, () => {
    const values = proposed
      .split(' ')
      .map((one) => (one.startsWith('-') ? { entry: one.slice(1) } : { entry: one, text: 'sealed' }));
    const found = foreignValues({ rotation: rotationsOf(rows) }, values);
    assert.equal(found.map((one) => ('text' in one ? one.entry : `-${one.entry}`)).join(' '), foreign);
  });
}
