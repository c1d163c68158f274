import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Errors } from 'typebox/schema';
import fc from '../test/support/properties.ts';
import { CHECKS } from './checks.ts';
import { ENTRY, MANIFEST_NAME, NAME, PATTERN_ADVICE } from './grammar.ts';
import { SCHEMAS } from './index.ts';
import { validate } from './validate.ts';

const config = (spec: unknown) => ({
  apiVersion: 'coffer.dev/v1',
  kind: 'Config',
  metadata: { name: 'x' },
  spec,
});
const repository = 'A'.repeat(22);

/** Values that conform, from which tests make others. */
const EXAMPLES: Record<string, unknown> = {
  Config: config({ repository, rules: [{ path: '*', recipients: ['a'] }], requiredRecipients: ['a'] }),
  EncryptedSecret: {
    ...{
      apiVersion: 'coffer.dev/v1',
      kind: 'EncryptedSecret',
      metadata: { name: 'a', namespace: 'b', labels: { c: 'd' } },
    },
    spec: {
      ...{ recipients: ['a', 'b'], readers: [{ name: 'w', entries: ['x'] }], data: { x: 'y' }, type: 'Opaque' },
      ...{ template: { data: { t: '' }, metadata: { labels: { a: 'b' } } }, keys: { ['A'.repeat(32)]: {} } },
    },
  },
  Recipient: {
    ...{ apiVersion: 'coffer.dev/v1', kind: 'Recipient', metadata: { name: 'a' } },
    spec: { type: 'cluster', identity: 'coffer-identity-1-A', keys: [] },
  },
  Request: {
    ...{ apiVersion: 'coffer.dev/v1', kind: 'Request', metadata: { name: 'a' } },
    spec: { created: '2026-11-21T09:00:00Z', join: { recipient: 'b', identity: 'coffer-identity-1-A', like: 'c' } },
  },
  TrustPolicy: {
    ...{ apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata: { name: 'a' } },
    spec: {
      signers: { ssh: { allowedSigners: 'x' }, openpgp: { keys: [{ name: 'a', file: 'x' }] } },
      grants: [{ signers: ['a@b'], paths: ['c/**'], may: ['values'] }],
      namespaces: [{ path: 'c/**', namespaces: ['d-*'] }],
    },
  },
  OperatorConfig: {
    ...{
      apiVersion: 'coffer.dev/v1',
      kind: 'OperatorConfig',
      cluster: 'a',
      state: { directory: 'x' },
      pins: { file: 'x' },
    },
    ...{ keys: { directory: 'x' }, sources: [{ git: { url: 'x' } }], projections: [{ directory: { workloads: [] } }] },
    audit: { directory: 'x' },
  },
};

/** A copy with one place, chosen by `seed`, replaced. */
function changed(root: unknown, seed: number, value: unknown): unknown {
  if (typeof root !== 'object' || root === null) return value;
  const keys = Object.keys(root);
  const key = keys[seed % (keys.length + 1)];
  if (key === undefined) return seed % 2 === 0 ? value : { ...root, extra: value };
  const inner = changed((root as Record<string, unknown>)[key], Math.floor(seed / (keys.length + 1)), value);
  return Array.isArray(root) ? root.with(Number(key), inner) : { ...root, [key]: inner };
}

describe('the schemas', () => {
  test('the examples of this test conform', () => {
    for (const schema of Object.values(SCHEMAS)) assert.deepEqual(validate(schema, EXAMPLES[schema.title]), []);
  });

  test('as JSON are what the sources say', () => {
    execFileSync(process.execPath, [fileURLToPath(new URL('write.ts', import.meta.url)), '--check']);
  });

  test('have an identity, a title, and refuse fields that they do not name', () => {
    for (const [kind, schema] of Object.entries(SCHEMAS)) {
      assert.match(schema.$id, /^https:\/\/coffer\.dev\/schemas\/v1\/[-a-z]+\.schema\.json$/);
      assert.equal(schema.title, kind);
      assert.equal(schema.additionalProperties, false);
    }
  });

  test('generated checks decide as the library does, whatever the value', () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(Symbol('x'), Buffer.from('x'), '', 'a', 'A', '..', 1, null, [], {}),
    );
    for (const schema of Object.values(SCHEMAS)) {
      fc.assert(
        fc.property(fc.array(fc.record({ seed: fc.nat(), value: odd }), { maxLength: 2 }), (changes) => {
          const value = changes.reduce<unknown>(
            (now, { seed, value }) => changed(now, seed, value),
            EXAMPLES[schema.title],
          );
          assert.equal(CHECKS[schema.$id]?.(value), Errors(schema, value)[0]);
        }),
        { numRuns: 500 },
      );
    }
  });

  test('say of every pattern what it asks for', () => {
    const patterns = JSON.stringify(SCHEMAS).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g);
    for (const [, quoted = ''] of patterns) {
      const pattern = JSON.parse(quoted) as string;
      assert.ok(pattern in PATTERN_ADVICE || pattern === '^SIG[A-Z0-9]+$', pattern);
    }
  });
});

describe('validation in plain words', () => {
  const cases: [unknown, path: string, message: RegExp, advice: RegExp][] = [
    [config({ repository, x: 1 }), 'spec.x', /"x" is not known here/, /known are repository, rules/],
    [config({}), 'spec', /"repository" is missing/, /Random; pins belong to it/],
    [config({ repository: 'short' }), 'spec.repository', /not well-formed/, /22 characters/],
    [config({ repository: 7 }), 'spec.repository', /not a string/, /22 characters/],
    [config({ repository, rules: {} }), 'spec.rules', /not a list/, /Write a list/],
    [
      config({ repository, rules: [{ path: 'x', recipients: [] }] }),
      'spec.rules.0.recipients',
      /fewer than 1/,
      /Correct/,
    ],
    [
      config({ repository, rules: [{ path: 'x', recipients: ['a', 'a'] }] }),
      'spec.rules.0.recipients',
      /twice/,
      /second/,
    ],
    [{ ...config({ repository }), kind: 'config' }, 'kind', /not known/, /Use Config/],
  ];
  for (const [value, path, message, advice] of cases) {
    test(`${path}: ${message.source}`, () => {
      const problems = validate(SCHEMAS.Config, value);
      assert.equal(problems.length, 1, JSON.stringify(problems));
      assert.equal(problems[0]?.path.join('.'), path);
      assert.match(problems[0]?.message ?? '', message);
      assert.match(problems[0]?.advice ?? '', advice);
    });
  }

  test('what conforms has no problems', () => {
    assert.deepEqual(validate(SCHEMAS.Config, config({ repository, rules: [{ path: '*', recipients: ['a'] }] })), []);
  });

  test('a field named __proto__ is a field', () => {
    const value = Object.assign(Object.create(null), config({ repository }));
    Object.defineProperty(value, '__proto__', { value: {}, enumerable: true });
    assert.deepEqual(
      validate(SCHEMAS.Config, value).map(({ path }) => path),
      [['__proto__']],
    );
  });
});

describe('the grammars', () => {
  const names: [pattern: string, good: string[], bad: string[]][] = [
    [
      NAME,
      ['a', '0', 'a-b', 'a'.repeat(63)],
      ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'ä', 'a'.repeat(64), 'a\n', '../a', 'a/b'],
    ],
    [
      MANIFEST_NAME,
      ['a', 'a.b-c.d', 'a'.repeat(253)],
      ['', '.a', 'a.', 'a..b', '-a', 'a-.b', 'A', 'a'.repeat(254), 'a\n'],
    ],
    [
      ENTRY,
      ['a', '__proto__', '.env', 'a..b', '-', 'A_b.c', 'a'.repeat(253)],
      ['', '.', '..', '..data', 'a/b', 'a b', 'ä', 'a\n', 'a'.repeat(254)],
    ],
  ];
  for (const [pattern, good, bad] of names) {
    test(pattern, () => {
      for (const name of good) assert.match(name, new RegExp(pattern, 'u'));
      for (const name of bad) assert.doesNotMatch(name, new RegExp(pattern, 'u'));
    });
  }

  test('no name that is allowed leaves its folder', () => {
    fc.assert(
      fc.property(fc.constantFrom(NAME, MANIFEST_NAME, ENTRY), fc.string(), (pattern, name) => {
        if (new RegExp(pattern, 'u').test(name))
          assert.ok(!/[/\\\0\n]/.test(name) && name !== '.' && !name.startsWith('..'));
      }),
    );
  });
});
