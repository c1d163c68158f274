import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryRepository, manifestText } from '../../../test/check/memory-repository.ts';
import fc from '../../../test/support/properties.ts';
import { labelCiphertext } from './ciphertext-labels.ts';

function sealed(): string {
  const repository = new MemoryRepository(['production', 'staging']);
  repository.seal('a.yaml', manifestText({ more: '  # a comment\n  deletionPolicy: Retain\n' }));
  return repository.text('a.yaml');
}

test('ciphertexts become short labels and every other byte stays', () => {
  const text = sealed();
  const labelled = labelCiphertext(text);
  assert.ok(Math.max(...labelled.split('\n').map((line) => line.length)) < 80);
  assert.equal(labelled.split('\n').length, text.split('\n').length);
  for (const [index, line] of labelled.split('\n').entries()) {
    const whole = text.split('\n')[index] ?? '';
    const beginning = line.replace(/(?:CF\[|"[0-9a-f]{8} ).*$/, '');
    assert.ok(whole.startsWith(beginning), line);
    if (line === beginning) assert.equal(line, whole);
  }
});

test('a label changes exactly when its ciphertext does', () => {
  const text = sealed();
  const flipped = text.replace(
    /(CF\[1:[A-Za-z0-9_-]{32}:)(.)/,
    (_, head, first) => `${head}${first === 'A' ? 'B' : 'A'}`,
  );
  assert.notEqual(labelCiphertext(flipped), labelCiphertext(text));
  assert.equal(labelCiphertext(text), labelCiphertext(text));
});

test('a text without ciphertext comes back as it was', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => labelCiphertext(text) === text));
});
