import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Verdict } from '../../core/trust/verdict.ts';
import { History, type Node } from './history.ts';
import { BASE, CHANGES, EVIL, NO, V1, V2 } from './line-table.ts';
import { dataKeyId, manifest, sealed, stanza } from './manifests.ts';
import { policyOf } from './policy.ts';

let history: History;
let base: Node;

before(async () => {
  history = await History.create();
  base = history.commit([], undefined, BASE);
  await history.write();
});
after(() => history.remove());

function told({ refusals }: Verdict): string[] {
  return refusals.map(({ path, subject, error }) => `${path} ${subject} ${error.code}`).sort();
}

/** What stays wrong of what several commits bring, and what makes it right. */
const COURSES: typeof CHANGES = [
  [
    'a violation that is followed by a change of the same file by who may',
    [
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
      ['val', { 'db.yaml': manifest({ readers: EVIL, data: V2 }) }],
      ['alice', { 'db.yaml': manifest({ readers: EVIL, data: V2, more: ['type: x/y'] }) }],
    ],
    [`db.yaml readers ${NO}`],
  ],
  [
    'a violation that somebody overwrites who may',
    [
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
      ['alice', { 'db.yaml': manifest({ readers: { api: ['password'], other: ['password'] } }) }],
    ],
    [],
  ],
  [
    'a violation that is reverted by nobody in particular',
    [
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
      ['bob', { 'db.yaml': manifest() }],
    ],
    [],
  ],
  [
    'an unsigned commit that is reverted by another',
    [
      [undefined, { 'db.yaml': manifest({ readers: EVIL }) }],
      [undefined, { 'db.yaml': manifest() }],
    ],
    [],
  ],
  [
    'a revert of a revert',
    [
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
      ['bob', { 'db.yaml': manifest() }],
      ['bob', { 'db.yaml': manifest({ readers: EVIL }) }],
    ],
    [`db.yaml readers ${NO}`],
  ],
  [
    'a violation in a file that goes, by who may not remove it',
    [
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
      ['val', { 'db.yaml': null }],
    ],
    [`db.yaml removal ${NO}`],
  ],
  [
    'a violation in a file that goes, by who may',
    [
      ['val', { 'db.yaml': manifest({ readers: EVIL }) }],
      ['alice', { 'db.yaml': null }],
    ],
    [],
  ],
  [
    'a reader that somebody took away who may not, of a manifest that goes by who may',
    [
      ['val', { 'db.yaml': manifest({ readers: {} }) }],
      ['alice', { 'db.yaml': null }],
    ],
    [],
  ],
  [
    'a violation in a new file that goes again',
    [
      ['bob', { 'new.yaml': manifest({ name: 'new' }) }],
      ['bob', { 'new.yaml': null }],
    ],
    [],
  ],
  [
    'a manifest that is taken away and put back without what retained it',
    [
      ['alice', { 'kept.yaml': null }],
      ['val', { 'kept.yaml': manifest({ name: 'kept' }) }],
    ],
    ['deletionPolicy', 'namespaces', 'readers', 'recipients', 'type'].map((subject) => `kept.yaml ${subject} ${NO}`),
  ],
  [
    'the undoing of what somebody set who may',
    [
      ['alice', { 'db.yaml': manifest({ readers: { api: ['password'], other: ['password'] } }) }],
      ['val', { 'db.yaml': manifest() }],
    ],
    [`db.yaml readers ${NO}`],
  ],
  [
    'a signed commit upon an unsigned one does not sign that',
    [
      [undefined, { 'db.yaml': manifest({ data: V2 }) }],
      ['val', { 'db.yaml': `# why\n${manifest({ data: V2 })}` }],
    ],
    ['db.yaml signature TRUST_UNSIGNED'],
  ],
  [
    'an unsigned value, whose stanzas went with it, that is set again by who may',
    [
      ['alice', { 'db.yaml': manifest({ keys: { [dataKeyId('k1')]: { production: stanza('aa') } } }) }],
      [undefined, { 'db.yaml': manifest({ data: V2, keys: { [dataKeyId('k2')]: { production: stanza('aa') } } }) }],
      [
        'val',
        {
          'db.yaml': manifest({
            data: { password: sealed('k3', 'v3') },
            keys: { [dataKeyId('k3')]: { production: stanza('aa') } },
          }),
        },
      ],
    ],
    [],
  ],
  [
    'an unsigned commit that takes a stanza away which a value needs',
    [
      ['alice', { 'db.yaml': manifest({ keys: { [dataKeyId('k1')]: { production: stanza('aa') } } }) }],
      [undefined, { 'db.yaml': manifest() }],
      ['bob', { 'db.yaml': `# why\n${manifest()}` }],
    ],
    ['db.yaml signature TRUST_UNSIGNED'],
  ],
  [
    'two values of one run in two commits',
    [
      ['val', { 'db.yaml': manifest({ data: { ...V1, a: sealed('k2', 'a') } }) }],
      ['val', { 'db.yaml': manifest({ data: { ...V1, a: sealed('k2', 'a'), b: sealed('k2', 'b') } }) }],
    ],
    ['db.yaml data-key TRUST_OLD_DATA_KEY'],
  ],
];

const TABLE = [...CHANGES, ...COURSES];

describe('in a line of commits', () => {
  let heads: Node[];

  before(async () => {
    heads = TABLE.map(([, steps]) => history.chain(base, ...steps));
    await history.write();
  });

  for (const [index, [promise, , refused]] of TABLE.entries()) {
    test(`${promise}: ${refused.length === 0 ? 'taken' : 'refused'}`, async () => {
      const head = heads[index] as Node;
      assert.deepEqual(told(await history.judge(base, head)), refused);
    });
  }

  test('a policy without grants lets every signer do all, and one with no grant nobody', async () => {
    const head = history.chain(base, ['bob', { 'db.yaml': null, '.coffer/config.yaml': 'x' }]);
    const unsigned = history.chain(base, [undefined, { 'db.yaml': null }]);
    await history.write();
    assert.deepEqual(told(await history.judge(base, head, { policy: policyOf({}) })), []);
    assert.deepEqual(told(await history.judge(base, unsigned, { policy: policyOf({}) })), [
      'db.yaml signature TRUST_UNSIGNED',
    ]);
    assert.deepEqual(told(await history.judge(base, head, { policy: policyOf({ grants: [] }) })), [
      `.coffer/config.yaml rules ${NO}`,
      `db.yaml removal ${NO}`,
    ]);
  });

  test('what lies outside of the source is nobody’s concern, and .coffer never does', async () => {
    const head = history.chain(base, [undefined, { 'db.yaml': null, 'team/x.yaml': manifest(), '.Coffer/x': 'x' }]);
    await history.write();
    assert.deepEqual(told(await history.judge(base, head, { path: './team/' })), [
      '.Coffer/x signature TRUST_UNSIGNED',
      'team/x.yaml signature TRUST_UNSIGNED',
    ]);
  });

  test('a refusal names whose endorsement would count: who may endorse in .coffer, and make the change where it is', async () => {
    const head = history.chain(base, ['val', { 'db.yaml': manifest({ readers: EVIL }) }]);
    const unsigned = history.chain(base, [undefined, { 'db.yaml': manifest({ readers: EVIL }) }]);
    await history.write();
    const policy = policyOf({
      grants: [
        { signers: ['alice', 'carol'], paths: ['/*.yaml'], may: ['readers'] },
        { signers: ['carol', 'ed'], paths: ['/.coffer/'], may: ['endorse'] },
        { signers: ['bob', 'alice'], paths: ['/*.yaml'], may: ['endorse'] },
      ],
    });
    for (const commit of [head, unsigned]) {
      const [refusal] = (await history.judge(base, commit, { policy })).refusals;
      assert.match(String(refusal?.error.advice), /or have carol run `coffer endorse/);
    }
    const [refusal] = (await history.judge(base, head, { policy: policyOf({ grants: [] }) })).refusals;
    assert.match(
      String(refusal?.error.advice),
      /grants `readers` there \(nobody yet\).*grants both `readers` and `endorse` \(nobody yet\)/,
    );
  });

  test('what people call themselves and their files plays no tricks with who reads of it', async () => {
    const name = 'a\u202eb\u009bc\u200b';
    const head = history.chain(base, [name, { [`${name}.yaml`]: manifest({ name: 'x' }) }]);
    await history.write();
    const [refusal] = (await history.judge(base, head)).refusals;
    const apart = await assert.rejects(
      history.judge(head, base),
      (error: Error) => !/\p{Cf}|\p{Cc}/u.test(error.message),
    );
    assert.equal(apart, undefined);
    const other = history.commit([], name, {});
    await history.write();
    await assert.rejects(history.judge(base, other), ({ message }: Error) => {
      assert.match(message, /a\ufffdb\ufffdc\ufffd </);
      assert.doesNotMatch(message, /\p{Cf}|\p{Cc}/u);
      return true;
    });
    assert.doesNotMatch(`${refusal?.error.message} ${refusal?.error.advice}`, /\p{Cf}|\p{Cc}/u);
  });

  test('a file larger than a manifest can be asks for a signature only, and holds nobody back', async () => {
    const film = { 'film.yaml': `apiVersion: coffer.dev/v1\n# ${'x'.repeat(17 * 1024 * 1024)}` };
    const good = history.chain(base, ['val', film], ['val', { 'db.yaml': manifest({ data: V2 }) }]);
    const bad = history.commit([base], undefined, film);
    await history.write();
    assert.deepEqual((await history.judge(base, good)).refusals, []);
    assert.equal((await history.judge(base, bad)).refusals[0]?.path, 'film.yaml');
  });

  test('it ends when it is told to', async () => {
    const head = history.chain(base, ['val', { 'db.yaml': manifest({ data: V2 }) }]);
    await history.write();
    const signal = AbortSignal.abort(new Error('over'));
    let turns = 0;
    const heavy = Array.from({ length: 400 }, (_, index) => [`many/${index}.yaml`, manifest({ name: `m${index}` })]);
    const many = history.commit([head], 'alice', Object.fromEntries(heavy));
    await history.write();
    const ticking = setInterval(() => turns++, 1);
    await history.judge(head, many);
    clearInterval(ticking);
    assert.ok(turns > 3, `${turns} turns`);
    await assert.rejects(history.judge(head, many, { signal }), { message: 'over' });
  });

  test('a refusal names commit, author, path, rule and the way out', async () => {
    const head = history.chain(base, ['val', { 'db.yaml': manifest({ readers: EVIL }) }]);
    await history.write();
    const [refusal] = (await history.judge(base, head)).refusals;
    assert.equal(refusal?.commit, head.oid);
    assert.deepEqual(refusal?.author, { name: 'val', email: 'val@example.org' });
    assert.match(
      String(refusal?.error.message),
      new RegExp(`${head.oid.slice(0, 12)} by val <val@example.org>.*db.yaml.*readers`),
    );
    assert.match(
      String(refusal?.error.advice),
      new RegExp(`Revert.*alice, carol make the change; or have carol run .coffer endorse ${head.oid}`),
    );
    assert.deepEqual(refusal?.error.data, { commit: head.oid, path: 'db.yaml' });
  });
});
