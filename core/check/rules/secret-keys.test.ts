import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretKeyFindings } from './secret-keys.ts';

// No keys: of the right form only.
const SECRET = `COFFER-SECRET-1-${'Ab-_09'.repeat(8)}`;
const IDENTITY = `COFFER-IDENTITY-1-${'Ab-_09'.repeat(8)}`;
const AGE = `AGE-SECRET-KEY-1${'QPZRY9X8GF'.repeat(6).slice(0, 58)}`;

test('secret keys are found in any file, each with its line, and never repeated in the finding', () => {
  const bytes = Buffer.from(`first\n${SECRET}\n\u0000 binary ${IDENTITY}\n\n  key: "${AGE}"\n${SECRET}`);
  const found = secretKeyFindings(bytes, 'notes.bin');
  assert.deepEqual(found.map(({ data }) => data.line).toSorted(), [2, 3, 5, 6]);
  for (const secret of [SECRET, IDENTITY, AGE]) assert.ok(!JSON.stringify(found).includes(secret));
});

test('a mention of a prefix is no key, nor is a public key', () => {
  const text = `COFFER-SECRET-1-… and AGE-SECRET-KEY-1… and COFFER-IDENTITY-1- coffer-public-1-${'Ab-_09'.repeat(9)}`;
  assert.deepEqual(secretKeyFindings(Buffer.from(text), 'README.md'), []);
});
