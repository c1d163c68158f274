import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestOf, kidOf, ring, Story, sealedTo, type Value } from '../../test/exposure/story.ts';
import { RecordedComparisons } from './comparisons.ts';
import { readDifference } from './read-history.ts';

const ONE: Value = ['k1', 'one'];
const TWO: Value = ['k2', 'two'];
const THREE: Value = ['k3', 'three'];
const LAPTOP = ring('laptop', { laptop: 'active' }, { type: 'person' });
const STOLEN = ring('laptop', { laptop: 'revoked' }, { type: 'person' });
const PRODUCTION = ring('production', { production: 'active' });

type Outcome = readonly [Value, Value, 'changed' | 'same'];

function compared(...outcomes: readonly Outcome[]): RecordedComparisons {
  const found = new RecordedComparisons();
  for (const [one, other, outcome] of outcomes) {
    found.add({ event: 'value.compared', from: digestOf(one), to: digestOf(other), outcome });
  }
  return found;
}

const db = (value: Value, to: readonly string[], entry = 'password') =>
  sealedTo({ [entry]: value }, { [value[0]]: to });

describe('what a lost key could open', () => {
  test('is all that was ever sealed to it, and nothing else', async (t) => {
    const story = await Story.begin(t);
    const start = story.commit([], { ...LAPTOP, ...PRODUCTION, 'db.yaml': db(ONE, ['production', 'laptop']) });
    const other = story.commit([start], {
      'other.yaml': sealedTo({ token: TWO }, { k2: ['production'] }, { name: 'other' }),
    });
    const head = story.commit([other], STOLEN);
    assert.deepEqual(await story.states(head), ['password one live']);
    assert.deepEqual(await story.states(other), [], 'not before somebody says that the key is lost');
    const report = await story.report(head);
    assert.deepEqual(
      report.values[0]?.keys.map(({ kid, recipient }) => [kid, recipient]),
      [[kidOf('laptop'), 'laptop']],
    );
    assert.deepEqual(
      report.keys.map(({ why, since }) => [why, since?.commit]),
      [['revoked', head.oid]],
    );
  });

  test('counts as changed only when the current value was compared with each of the former ones', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], { ...LAPTOP, 'db.yaml': db(ONE, ['production', 'laptop']) });
    const second = story.commit([first], { 'db.yaml': db(TWO, ['production', 'laptop']) });
    const head = story.commit([second], { ...STOLEN, 'db.yaml': db(THREE, ['production']) });
    const living = async (...outcomes: readonly Outcome[]) => {
      const report = await story.report(head, { compared: compared(...outcomes) });
      return [...report.values.map(({ state }) => state), ...report.living.map(({ state }) => `current ${state}`)];
    };
    assert.deepEqual(await living(), ['resealed', 'resealed', 'current resealed']);
    assert.deepEqual(await living([TWO, THREE, 'changed']), ['resealed', 'changed', 'current resealed']);
    assert.deepEqual(await living([ONE, TWO, 'changed']), ['resealed', 'resealed', 'current resealed']);
    assert.deepEqual(await living([TWO, THREE, 'changed'], [ONE, THREE, 'same']), ['live', 'changed', 'current live']);
    assert.deepEqual(await living([TWO, THREE, 'changed'], [THREE, ONE, 'changed']), ['changed', 'changed']);
    assert.deepEqual(await living([TWO, THREE, 'changed'], [ONE, THREE, 'same'], [ONE, THREE, 'changed']), [
      'live',
      'changed',
      'current live',
    ]);
  });

  test('is exposed from when both the value and a way to its data key were there, also when the value was gone by then', async (t) => {
    const story = await Story.begin(t);
    const both = { k1: ['production'] };
    const start = story.commit([], { 'db.yaml': sealedTo({ a: ['k1', 'a1'], b: ['k1', 'b1'] }, both) });
    const gone = story.commit([start], { 'db.yaml': sealedTo({ b: ['k1', 'b1'] }, both) });
    const rewrapped = story.commit([gone], {
      ...LAPTOP,
      'db.yaml': sealedTo({ b: ['k1', 'b1'] }, { k1: ['production', 'laptop'] }),
    });
    const head = story.commit([rewrapped], STOLEN);
    const { values } = await story.report(head);
    assert.deepEqual(
      values.map(({ entry, written, from, until, state }) => [
        entry,
        written.commit,
        from.commit,
        until?.commit,
        state,
      ]),
      [
        ['a', start.oid, rewrapped.oid, gone.oid, 'removed'],
        ['b', start.oid, rewrapped.oid, undefined, 'live'],
      ],
    );
  });

  test('is opened through a group as soon as its seed was sealed to the lost key, and only then', async (t) => {
    const story = await Story.begin(t);
    const dev = (...members: string[]) =>
      ring(
        'dev',
        { dev: 'active' },
        { type: 'group', seeds: { dev: Object.fromEntries(members.map((name) => [name, name])) } },
      );
    const start = story.commit([], { ...LAPTOP, ...dev('ada'), 'db.yaml': db(ONE, ['dev']) });
    const joined = story.commit([start], dev('ada', 'laptop'));
    const left = story.commit([joined], { ...dev('ada'), ...STOLEN });
    const { values } = await story.report(left);
    assert.deepEqual(
      values.map(({ keys, from, state }) => [keys[0]?.recipient, keys[0]?.group?.name, from.commit, state]),
      [['laptop', 'dev', joined.oid, 'live']],
    );
    const outside = story.commit([start], STOLEN);
    assert.deepEqual(await story.states(outside), []);
  });
});

describe('a key is lost', () => {
  const cases: readonly (readonly [string, Record<string, Record<string, string | null>>, string[]])[] = [
    ['that is revoked on a branch that nobody merged', { branch: STOLEN }, ['password one live']],
    ['whose recipient was removed', { main: { '.coffer/recipients/laptop.yaml': null } }, ['password one live']],
    [
      'that was revoked and then removed with its recipient',
      { main: STOLEN, after: { '.coffer/recipients/laptop.yaml': null } },
      ['password one live'],
    ],
    ['that was taken out of a file that stays', { main: ring('laptop', { newer: 'active' }) }, ['password one live']],
    [
      'and not one whose recipient was retired before it was removed',
      { main: ring('laptop', { laptop: 'retired' }), after: { '.coffer/recipients/laptop.yaml': null } },
      [],
    ],
    [
      'and not one that was retired, and taken out later',
      { main: ring('laptop', { newer: 'active', laptop: 'retired' }), after: ring('laptop', { newer: 'active' }) },
      [],
    ],
    [
      'and not one whose recipient has another name now',
      { main: { '.coffer/recipients/laptop.yaml': null, ...ring('notebook', { laptop: 'active' }) } },
      [],
    ],
    [
      'and not one that a branch lost and the current line has',
      { branch: { '.coffer/recipients/laptop.yaml': null } },
      [],
    ],
  ];
  for (const [name, { main = {}, after = {}, branch = {} }, expected] of cases) {
    test(name, async (t) => {
      const story = await Story.begin(t);
      const start = story.commit([], { ...LAPTOP, ...PRODUCTION, 'db.yaml': db(ONE, ['production', 'laptop']) });
      const head = story.commit([story.commit([start], main)], after);
      assert.deepEqual(await story.states(head, { heads: [story.commit([start], branch)] }), expected);
    });
  }
});

test('whose word counts that a key is revoked: anybody’s, that of the current line, or that of the current state alone', async (t) => {
  const story = await Story.begin(t);
  const start = story.commit([], { ...LAPTOP, 'db.yaml': db(ONE, ['production', 'laptop']) });
  const branch = story.commit([start], STOLEN, 'mallory');
  const takenBack = story.commit([branch], LAPTOP);
  const told = async (current: typeof start) => {
    const counts = [];
    for (const says of ['any', 'line', 'current'] as const) {
      const { living } = await story.report(current, { select: { kind: 'revoked', says }, heads: [branch] });
      counts.push(living.length);
    }
    return counts;
  };
  assert.deepEqual(await told(start), [1, 0, 0]);
  assert.deepEqual(await told(takenBack), [1, 1, 0]);
  assert.deepEqual(await told(branch), [1, 1, 1]);
});

describe('history’s oddities', () => {
  const start = { ...STOLEN, ...PRODUCTION, 'db.yaml': db(ONE, ['production', 'laptop']) };

  test('a file that moves, a value that returns, a manifest that is renamed without sealing it anew', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], start);
    const moved = story.commit([first], { 'db.yaml': null, 'apps/db.yaml': start['db.yaml'] });
    const { values } = await story.report(moved);
    assert.deepEqual(
      values.map(({ until, paths, state }) => [until, paths, state]),
      [[undefined, ['apps/db.yaml', 'db.yaml'], 'live']],
    );
    const replaced = story.commit([moved], { 'apps/db.yaml': db(TWO, ['production']) });
    assert.deepEqual(await story.states(replaced), ['password one resealed']);
    const returned = story.commit([replaced], { 'apps/db.yaml': start['db.yaml'] });
    assert.deepEqual(await story.states(returned), ['password one live']);
    const renamed = story.commit([first], { 'db.yaml': start['db.yaml'].replace('name: db', 'name: base') });
    const report = await story.report(renamed);
    assert.deepEqual(report.values.map(({ name, state }) => `${name} ${state}`).sort(), ['base live', 'db live']);
  });

  test('several documents in a file, and one name in two files for two clusters', async (t) => {
    const story = await Story.begin(t);
    const queue = sealedTo({ token: TWO }, { k2: ['production', 'laptop'] }, { name: 'queue' });
    const staging = sealedTo({ password: THREE }, { k3: ['staging', 'laptop'] });
    const first = story.commit([], {
      ...start,
      'db.yaml': `${start['db.yaml']}---\n${queue}`,
      'staging.yaml': staging,
    });
    assert.deepEqual(await story.states(first), ['password one live', 'password three live', 'token two live']);
    const production = db(['k4', 'four'], ['production']);
    const head = story.commit([first], { 'db.yaml': null, 'db.json.yaml': production, 'staging.yaml': null });
    assert.deepEqual(await story.states(head), [
      'password one resealed',
      'password three removed',
      'token two removed',
    ]);
  });

  test('a manifest for people alone that moves, and is sealed anew for a cluster too', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], { ...STOLEN, ...PRODUCTION, 'old.yaml': db(ONE, ['laptop']) });
    const head = story.commit([first], { 'old.yaml': null, 'new.yaml': db(TWO, ['production']) });
    assert.deepEqual(await story.states(head), ['password one resealed']);
  });

  test('branches that were never merged, tags, and merges', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], start);
    const branch = story.commit([first], { 'new.yaml': sealedTo({ token: TWO }, { k2: ['laptop'] }, { name: 'new' }) });
    const replaced = story.commit([first], { 'db.yaml': db(THREE, ['production']) });
    const onMain = story.commit([first], { 'README.md': 'main' });
    const merge = story.commit([onMain, replaced], { 'db.yaml': db(THREE, ['production']) });
    const report = await story.report(merge, { heads: [branch] });
    assert.deepEqual(
      report.values.map(({ entry, state, until, branches }) => [entry, state, until?.commit, branches]),
      [
        ['password', 'resealed', merge.oid, ['refs/heads/1']],
        ['token', 'elsewhere', undefined, ['refs/heads/1']],
      ],
    );
    const wrong = story.commit([merge, branch], { 'db.yaml': start['db.yaml'] });
    assert.deepEqual(await story.states(wrong), ['password one live', 'token two removed']);
  });

  test('a former value that is kept still lives until it goes', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], start);
    const kept: Value = ['k3', 'kept'];
    const rotated = story.commit([first], {
      'db.yaml': sealedTo({ password: TWO, 'password.previous': kept }, { k2: ['production'], k3: ['production'] }),
    });
    const outcomes = compared([ONE, TWO, 'changed'], [ONE, kept, 'same']);
    const report = await story.report(rotated, { compared: outcomes });
    assert.deepEqual(
      report.living.map(({ entry, state }) => [entry, state]),
      [['password.previous', 'live']],
    );
    const over = story.commit([rotated], { 'db.yaml': db(TWO, ['production']) });
    assert.deepEqual(await story.states(over, { compared: outcomes }), ['password one changed']);
  });
});

describe('a value that is sealed anew under another name', () => {
  const start = { ...STOLEN, ...PRODUCTION, 'db.yaml': db(ONE, ['production', 'laptop']) };
  const named = (name: string, namespace = 'payments', entry = 'password') =>
    sealedTo({ [entry]: TWO }, { k2: ['production'] }, { name, namespace });
  const both = sealedTo({ password: THREE, key: TWO }, { k2: ['production'], k3: ['production'] });
  const cases: readonly (readonly [string, readonly Record<string, string | null>[]])[] = [
    ['another entry, in one commit', [{ 'db.yaml': db(TWO, ['production'], 'db-password') }]],
    [
      'another entry, in two commits',
      [
        { 'db.yaml': sealedTo({ password: ONE, key: TWO }, { k1: ['production', 'laptop'], k2: ['production'] }) },
        { 'db.yaml': db(TWO, ['production'], 'key') },
      ],
    ],
    ['another entry, while the old one goes on with another value', [{ 'db.yaml': both }]],
    ['another name in the same file', [{ 'db.yaml': named('base') }]],
    ['another name in another file', [{ 'db.yaml': null, 'base.yaml': named('base') }]],
    ['another name, entry and namespace', [{ 'db.yaml': null, 'base.yaml': named('base', 'billing', 'key') }]],
    ['another name, in two commits', [{ 'base.yaml': named('base') }, { 'db.yaml': null }]],
    ['an entry of a manifest that was there', [{ 'db.yaml': null, 'queue.yaml': named('queue', 'payments', 'db') }]],
  ];
  for (const [name, steps] of cases) {
    test(`may be the same one until they were compared: ${name}`, async (t) => {
      const story = await Story.begin(t);
      const queue = sealedTo({ token: ['k9', 'nine'] }, { k9: ['production'] }, { name: 'queue' });
      const first = story.commit([], { ...start, 'queue.yaml': queue });
      const head = steps.reduce((last, step) => story.commit([last], step), first);
      const merge = story.commit([story.commit([first], { README: '' }), head], { ...steps[0], ...steps[1] });
      for (const current of [head, merge]) {
        const { values, living } = await story.report(current);
        assert.deepEqual(
          values.map(({ entry, state }) => `${entry} ${state}`),
          ['password resealed'],
        );
        assert.ok(living.some(({ text }) => text === digestOf(TWO)));
        const outcomes = compared([ONE, TWO, 'changed'], [ONE, THREE, 'changed']);
        assert.deepEqual((await story.report(current, { compared: outcomes })).living, []);
        const same = compared([ONE, TWO, 'same'], [ONE, THREE, 'changed']);
        assert.deepEqual(
          (await story.report(current, { compared: same })).living.map(({ state }) => state),
          ['live'],
        );
      }
    });
  }

  test('is not looked for in entries and manifests that were there before', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], { ...start, 'queue.yaml': named('queue', 'payments', 'token') });
    const head = story.commit([first], { 'db.yaml': null });
    assert.deepEqual(await story.states(head), ['password one removed']);
  });
});

test('an entry that is said to be no secret is listed, and nothing has to be done about it', async (t) => {
  const story = await Story.begin(t);
  const rows = (row: string) => ({ more: [`rotation: {user: ${row}}`] });
  const to = { k1: ['production', 'laptop'] };
  const data = { user: ['k1', 'app_a'], password: ['k1', 'one'] } as const;
  const first = story.commit([], { ...STOLEN, 'db.yaml': sealedTo(data, to, rows('{secret: false}')) });
  assert.deepEqual(await story.states(first), ['password one live', 'user app_a public']);
  assert.deepEqual(
    (await story.report(first)).living.map(({ entry }) => entry),
    ['password'],
  );
  const secret = story.commit([first], { 'db.yaml': sealedTo(data, to, rows('{secret: true}')) });
  assert.deepEqual(await story.states(secret), ['password one live', 'user app_a live']);
  const made = story.commit([first], {
    'db.yaml': sealedTo(data, to, { more: ['rotation: {password: {generate: {kind: tls, public: user}}}'] }),
  });
  assert.deepEqual(await story.states(made), ['password one live', 'user app_a public']);
});

test('where a file is held back, what stands there instead counts: nobody revokes a key, or replaces a value, who may not', async (t) => {
  const story = await Story.begin(t);
  const accepted = story.commit([], { ...LAPTOP, ...PRODUCTION, 'db.yaml': db(ONE, ['production', 'laptop']) });
  const revoked = story.commit([accepted], STOLEN);
  const head = story.commit([revoked], { 'db.yaml': db(TWO, ['production']) });
  const repository = await story.history.repository();
  await story.report(head);
  const insteadOf = async (tree: string) => {
    const instead = await readDifference(repository, story.records, { commit: head.oid, tree });
    return story.states(head, { select: { kind: 'revoked', says: 'current' }, instead });
  };
  const [first, second, last] = await Promise.all(
    [accepted, revoked, head].map(({ oid }) => repository.readCommit(oid)),
  );
  assert.deepEqual(await insteadOf(first?.tree ?? ''), []);
  assert.deepEqual(await insteadOf(second?.tree ?? ''), ['password one live']);
  assert.deepEqual(await insteadOf(last?.tree ?? ''), ['password one resealed']);
});

describe('what hides from a reader of manifests', () => {
  const hidden: readonly (readonly [string, (text: string) => string, string])[] = [
    [
      'a file with conflict markers',
      (text) => text.replace('  data:', '<<<<<<< ours\n=======\n>>>>>>> theirs\n  data:'),
      'password one live',
    ],
    ['a comment', (text) => text.replace(/^ {4}password:/m, '    # password:'), 'password one live'],
    [
      'a list of objects',
      (text) => `kind: List\nitems:\n${text.replace(/^/, '- ').replaceAll('\n', '\n  ')}`,
      'password one live',
    ],
    [
      'escapes',
      (text) => JSON.stringify({ apiVersion: 'coffer.dev/v1', ...fieldsOf(text) }).replaceAll('CF[1', '\\u0043F[1'),
      'password one live',
    ],
  ];
  for (const [name, hide, expected] of hidden) {
    test(`${name}: found, and said once where it is read elsewhere`, async (t) => {
      const story = await Story.begin(t);
      const text = db(ONE, ['production', 'laptop']);
      const first = story.commit([], { ...STOLEN, 'db.yaml': hide(text) });
      assert.deepEqual(await story.states(first), [expected]);
      const mended = story.commit([first], { 'db.yaml': text });
      assert.deepEqual(await story.states(mended), ['password one live']);
      const replaced = story.commit([first], { 'db.yaml': db(TWO, ['production']) });
      assert.deepEqual(await story.states(replaced), ['password one resealed']);
    });
  }

  test('a file that is too large to be read as manifests, such as a copy of all of them', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], {
      ...STOLEN,
      'backup.yaml': `${'# padding\n'.repeat(1_700_000)}${db(ONE, ['laptop'])}`,
    });
    const { values, gaps } = await story.report(first);
    assert.deepEqual([values.map(({ entry, state }) => `${entry} ${state}`), gaps], [['password live'], []]);
  });

  test('a stanza that stands in a file of its own opens values of other files', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], { ...STOLEN, 'db.yaml': db(ONE, ['production']) });
    const leak = story.commit([first], { 'notes.txt': db(ONE, ['laptop']).replace(/^ {2}data:\n.*\n/m, '') });
    const head = story.commit([leak], { 'notes.txt': null });
    assert.deepEqual(await story.states(head), ['password one live']);
  });
});

function fieldsOf(text: string): object {
  const [, namespace, name] = /namespace: (\w+), name: (\w+)/.exec(text) ?? [];
  const [, value = '', id = ''] = /"(CF\[1:([^:]+):[^"]+)"/.exec(text) ?? [];
  const keys = Object.fromEntries(Array.from(text.matchAll(/^ {6}(\w+): "([^"]+)"$/gm), ([, to, one]) => [to, one]));
  return {
    kind: 'EncryptedSecret',
    metadata: { namespace, name },
    spec: { recipients: Object.keys(keys), readers: [], data: { password: value }, keys: { [id]: keys } },
  };
}

describe('who wrote it', () => {
  test('a writer knows what they brought, also by a second commit, and not what they merged', async (t) => {
    const story = await Story.begin(t);
    const first = story.commit([], { 'README.md': '' });
    const branch = story.commit([first], { 'db.yaml': db(ONE, ['production']) }, 'mallory');
    const picked = story.commit(
      [story.commit([first], { 'README.md': '1' })],
      { 'db.yaml': db(ONE, ['production']) },
      'bob',
    );
    const side = story.commit(
      [picked],
      { 'b.yaml': sealedTo({ token: TWO }, { k2: ['production'] }, { name: 'b' }) },
      'ada',
    );
    const merge = story.commit(
      [branch, side],
      { 'b.yaml': sealedTo({ token: TWO }, { k2: ['production'] }, { name: 'b' }) },
      'carol',
    );
    const repository = await story.history.repository();
    const of = async (name: string) => {
      await story.report(merge);
      const own = new Set(story.records.commits.filter(({ author }) => author.name === name).map(({ oid }) => oid));
      return story.states(merge, { select: { kind: 'writer', isWriter: (oid) => own.has(oid) } });
    };
    assert.equal((await repository.readCommit(merge.oid)).parents.length, 2);
    assert.deepEqual(await of('mallory'), ['password one live']);
    assert.deepEqual(await of('bob'), ['password one live']);
    assert.deepEqual(await of('ada'), ['token two live']);
    assert.deepEqual(await of('carol'), []);
  });
});
