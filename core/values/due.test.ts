import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Manifest } from '../format/manifest/manifest.ts';
import type { EntryRotation } from '../format/manifest/rotation.ts';
import { dueOf, previousDueOf } from './due.ts';

const NOW = new Date('2026-11-21T09:00:00Z');
const ago = (milliseconds: number) => new Date(NOW.getTime() - milliseconds);

function manifest(
  rotation: Record<string, EntryRotation>,
  ...entries: string[]
): Pick<Manifest, 'rotation' | 'entries'> {
  const sealed = { kind: 'sealed', text: 'x', dataKeyId: 'x', line: 1 } as const;
  return { rotation: new Map(Object.entries(rotation)), entries: new Map(entries.map((entry) => [entry, sealed])) };
}

describe('when an entry is due', () => {
  const rule = { a: { every: 100 } };
  const cases: [name: string, ...Parameters<typeof dueOf>, expected: ReturnType<typeof dueOf>][] = [
    ['not rotated', manifest({}, 'a'), 'a', { since: ago(999), now: NOW }, undefined],
    ['young', manifest(rule, 'a'), 'a', { since: ago(99), now: NOW }, { due: ago(-1), isDue: false }],
    ['old', manifest(rule, 'a'), 'a', { since: ago(100), now: NOW }, { due: NOW, isDue: true, reason: 'age' }],
    ['from the future', manifest(rule, 'a'), 'a', { since: ago(-50), now: NOW }, { due: ago(-150), isDue: false }],
    ['of unknown age', manifest(rule, 'a'), 'a', { now: NOW }, { isDue: false }],
    ['only asked for', manifest({ a: {} }, 'a'), 'a', { since: ago(999), now: NOW }, { isDue: false }],
    [
      'exposed',
      manifest({ a: {} }, 'a'),
      'a',
      { now: NOW, exposed: true },
      { due: NOW, isDue: true, reason: 'exposed' },
    ],
    ['missing', manifest(rule), 'a', { now: NOW }, { due: NOW, isDue: true, reason: 'missing' }],
    ['missing, of which nothing is said', manifest({ a: {} }), 'a', { now: NOW }, { isDue: false }],
  ];
  for (const [name, of, entry, seen, expected] of cases) {
    test(name, () => assert.deepEqual(dueOf(of, entry, seen), expected));
  }
});

describe('when a former value goes', () => {
  const keep = { keepPrevious: 100, generate: { kind: 'hex' } } as const;
  const generate = { kind: 'rsa', public: 'p' } as const;
  const cases: [name: string, ...Parameters<typeof previousDueOf>, isDue: boolean | undefined][] = [
    ['there is none', manifest({ a: keep }, 'a'), 'a', { now: NOW }, undefined],
    ['in its time', manifest({ a: keep }, 'a.previous'), 'a', { since: ago(99), now: NOW }, false],
    ['after its time', manifest({ a: keep }, 'a.previous'), 'a', { since: ago(100), now: NOW }, true],
    ['of unknown age', manifest({ a: keep }, 'a.previous'), 'a', { now: NOW }, false],
    ['that nothing keeps any more', manifest({ a: { rotator: 'pg' } }, 'a.previous'), 'a', { now: NOW }, true],
    ['set by hand beside the rotation of another', manifest({ b: keep }, 'a.previous'), 'a', { now: NOW }, undefined],
    ['set by hand beside a rotator', manifest({ b: { rotator: 'pg' } }, 'a.previous'), 'a', { now: NOW }, undefined],
    ['set by hand, as is the entry', manifest({ a: { every: 1 } }, 'a.previous'), 'a', { now: NOW }, undefined],
    ['of what is not rotated any more', manifest({}, 'a.previous'), 'a', { now: NOW }, undefined],
    [
      'of a public part',
      manifest({ a: { ...keep, generate } }, 'p.previous'),
      'p',
      { since: ago(99), now: NOW },
      false,
    ],
    [
      'of a public part with a row that makes nothing',
      manifest({ a: { ...keep, generate }, p: {} }, 'p.previous'),
      'p',
      { since: ago(99), now: NOW },
      false,
    ],
    [
      'of what a rotator may have set together with its entry',
      manifest({ a: { keepPrevious: 100, rotator: 'pg' }, u: {} }, 'u.previous'),
      'u',
      { since: ago(99), now: NOW },
      false,
    ],
  ];
  for (const [name, of, entry, seen, isDue] of cases) {
    test(name, () => assert.equal(previousDueOf(of, entry, seen)?.isDue, isDue));
  }
});
