import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readText } from '../../../test/support/sealing.ts';
import { manifestProblems } from './read-manifest.ts';

function manifest(rotation: unknown, template: object = {}): string {
  return JSON.stringify({
    apiVersion: 'coffer.dev/v1',
    kind: 'EncryptedSecret',
    metadata: { name: 'db', namespace: 'shop' },
    spec: { recipients: ['one'], readers: [], data: { a: 'x', b: 'x' }, rotation, template: { data: template } },
  });
}

describe('the rotation of a manifest', () => {
  test('is read with durations in milliseconds', () => {
    const generate = { kind: 'tls', names: ['db.shop.svc', '*.shop', '10.0.0.1', '::1'], public: 'p', days: 30 };
    const rows = {
      a: { every: '30d', generate, keepPrevious: '90m' },
      b: { rotator: 'pg' },
      __proto__x: { every: '250ms' },
    };
    const [read] = readText(manifest(rows)).manifests;
    assert.deepEqual(
      [...(read?.rotation ?? [])].map(([entry, row]) => [entry, structuredClone(row)]),
      [
        ['a', { every: 2_592_000_000, generate, keepPrevious: 5_400_000 }],
        ['b', { rotator: 'pg' }],
        ['__proto__x', { every: 250 }],
      ],
    );
    assert.equal(readText(manifest(undefined)).manifests[0]?.rotation.size, 0);
  });

  test('may have a row for what another row makes, as long as that row makes nothing itself', () => {
    const rows = { a: { generate: { kind: 'rsa', public: 'b' } }, b: {} };
    assert.equal(readText(manifest(rows)).manifests[0]?.rotation.size, 2);
  });

  const hex = { kind: 'hex' };
  const refused: [why: string, code: string, rotation: object][] = [
    ['both ways of making a value', 'ROTATION_TWICE', { a: { generate: hex, rotator: 'pg' } }],
    ['a former value', 'ROTATION_PREVIOUS', { 'a.previous': { generate: hex } }],
    ['a former value of what is changed by hand', 'ROTATION_PREVIOUS', { a: { every: '1d', keepPrevious: '1h' } }],
    ['a name too long to keep', 'ROTATION_PREVIOUS', { ['a'.repeat(245)]: { generate: hex, keepPrevious: '1h' } }],
    ['a template', 'ROTATION_TEMPLATE', { t: { generate: hex } }],
    ['the length of a uuid', 'ROTATION_GENERATE', { a: { generate: { kind: 'uuid', length: 8 } } }],
    ['the bits of an ed25519 key', 'ROTATION_GENERATE', { a: { generate: { kind: 'ed25519', bits: 2048 } } }],
    ['the names of a password', 'ROTATION_GENERATE', { a: { generate: { kind: 'password', names: ['x'] } } }],
    ['the days of a key', 'ROTATION_GENERATE', { a: { generate: { kind: 'rsa', days: 1 } } }],
    ['a certificate without names', 'ROTATION_GENERATE', { a: { generate: { kind: 'tls', public: 'p' } } }],
    ['a certificate that goes nowhere', 'ROTATION_PUBLIC', { a: { generate: { kind: 'tls', names: ['x'] } } }],
    ['a public part of a password', 'ROTATION_PUBLIC', { a: { generate: { kind: 'password', public: 'p' } } }],
    ['the entry itself as its public part', 'ROTATION_PUBLIC', { a: { generate: { kind: 'rsa', public: 'a' } } }],
    ['a template as public part', 'ROTATION_PUBLIC', { a: { generate: { kind: 'rsa', public: 't' } } }],
    ['a former value as public part', 'ROTATION_PUBLIC', { a: { generate: { kind: 'rsa', public: 'b.previous' } } }],
    [
      'what another rotation makes as public part',
      'ROTATION_PUBLIC',
      { a: { generate: { kind: 'rsa', public: 'b' } }, b: { rotator: 'pg' } },
    ],
    [
      'what is changed by hand as public part',
      'ROTATION_PUBLIC',
      { a: { generate: { kind: 'rsa', public: 'b' } }, b: { every: '1d' } },
    ],
    [
      'one public part of two keys',
      'ROTATION_PUBLIC',
      { a: { generate: { kind: 'rsa', public: 'p' } }, b: { generate: { kind: 'rsa', public: 'p' } } },
    ],
    ...['büro.example', 'a b', 'https://x', '-x', '*', 'a.*.b', ''].map((name): [string, string, object] => [
      `the name "${name}"`,
      name === '' ? 'DOCUMENT_FIELD' : 'ROTATION_GENERATE',
      { a: { generate: { kind: 'tls', names: [name], public: 'p' } } },
    ]),
  ];
  for (const [why, code, rotation] of refused) {
    test(`is refused for ${why}`, () => {
      const { problems } = manifestProblems(Buffer.from(manifest(rotation, { t: 'x' })), 'f.json');
      assert.deepEqual([...new Set(problems.map((problem) => problem.code))], [code]);
      assert.ok(problems.every(({ data }) => data.line === 1 && data.column !== undefined));
    });
  }
});
