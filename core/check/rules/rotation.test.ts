import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryRepository } from '../../../test/check/memory-repository.ts';
import { check } from '../check.ts';
import type { Past } from './rotation-ages.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

function repository(spec: string, data = 'a: first', config = ''): MemoryRepository {
  const made = new MemoryRepository(['production', 'staging']);
  if (config !== '') made.configure(config);
  made.seal(
    'db.yaml',
    `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: shop}
spec:
  recipients: [production]
  readers: [{name: w}]
  data:
    ${data}
${spec}
`,
  );
  return made;
}

async function found(made: MemoryRepository, past?: Past): Promise<[string, string | undefined][]> {
  const { findings } = await check(made, undefined, [], past);
  return findings.filter(({ rule }) => rule !== 'CHECK_STANZA_PENDING').map(({ rule, data }) => [rule, data.entry]);
}

describe('a rotation', () => {
  const cases: [name: string, spec: string, expected: string[], data?: string, config?: string][] = [
    ['that makes sense', '  rotation: {a: {every: 30d, generate: {kind: hex}, keepPrevious: 1d}}', []],
    ['of an entry that is to be made', '  rotation: {b: {generate: {kind: hex}}}', []],
    [
      'whose overlap never ends',
      '  rotation: {a: {every: 1d, generate: {kind: hex}, keepPrevious: 24h}}',
      ['CHECK_ROTATION_OVERLAP'],
    ],
    [
      'of a certificate that ends before',
      '  rotation: {k: {every: 90d, generate: {kind: tls, names: [a.b], public: c}}}',
      ['CHECK_ROTATION_CERTIFICATE'],
    ],
    [
      'of a certificate that outlives it',
      '  rotation: {k: {every: 90d, generate: {kind: tls, names: [a.b], public: c, days: 91}}}',
      [],
    ],
    ['that nobody runs', '  rotation: {a: {rotator: pg}}', ['CHECK_ROTATION_NOBODY']],
    [
      'that runs where the manifest is not sealed to',
      '  rotation: {a: {rotator: pg}}',
      ['CHECK_ROTATION_NOBODY'],
      'a: first',
      '  rotatingCluster: staging\n',
    ],
    ['that a cluster runs', '  rotation: {a: {rotator: pg}}', [], 'a: first', '  rotatingCluster: production\n'],
    [
      'beside a template that names a former value',
      '  rotation: {a: {generate: {kind: hex}, keepPrevious: 1h}}\n  template: {data: {T: "${a.previous}"}}',
      ['CHECK_ROTATION_TEMPLATE'],
      'a: first\n    a.previous: before',
    ],
    ['that is not there, for a former value', '', ['CHECK_ROTATION_PREVIOUS'], 'a.previous: before'],
    [
      'that keeps the public part of a key, too',
      '  rotation: {a: {generate: {kind: rsa, public: p}, keepPrevious: 1h}}',
      [],
      'a: x1\n    p: x1\n    a.previous: x1\n    p.previous: x1',
    ],
  ];
  for (const [name, spec, expected, data, config] of cases) {
    test(`${name}: ${expected.join() || 'nothing'}`, async () => {
      const rules = (await found(repository(spec, data, config))).map(([rule]) => rule);
      assert.deepEqual(rules, expected);
    });
  }

  test('may grant what it is going to make', async () => {
    const made = repository('  rotation: {b: {generate: {kind: rsa, public: p}}}');
    made.write('db.yaml', made.text('db.yaml').replace('{name: w}', '{name: w, entries: [a, b, p, p.previous]}'));
    assert.deepEqual(await found(made), []);
  });
});

describe('the age of a value', () => {
  const rotation = '  rotation: {a: {every: 30d, generate: {kind: hex}, keepPrevious: 2h}}';

  test('is asked of what has a time, and overdue where the text was there that long ago and a tenth more', async () => {
    const made = repository(rotation, 'a: first\n    a.previous: before\n    b: none');
    const asked: number[] = [];
    const past: Past = async (age, paths) => {
      asked.push(age);
      return new Map(paths.map((path) => [path, Buffer.from(made.text(path))]));
    };
    assert.deepEqual(await found(made, past), [
      ['CHECK_ROTATION_OVERDUE', 'a'],
      ['CHECK_ROTATION_OVERDUE', 'a.previous'],
    ]);
    assert.deepEqual(asked, [33 * DAY, 3 * HOUR]);
  });

  test('is none of a text that was not there yet', async () => {
    const made = repository(rotation);
    const before = made.text('db.yaml').replace(/a: CF\[\S+/, 'a: CF[1:another]');
    assert.deepEqual(await found(made, async () => new Map([['db.yaml', Buffer.from(before)]])), []);
    assert.deepEqual(await found(made, async () => new Map()), []);
  });
});
