import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openedBy, testOpener } from '../../../test/support/opening.ts';
import fc from '../../../test/support/properties.ts';
import { readText, testKey, testKeys } from '../../../test/support/sealing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { rewrap } from '../../rotation/rewrap.ts';
import { setReader } from '../edit/edit-readers.ts';
import { sealPlaintext, setEntry, unsetEntry } from '../edit/seal.ts';
import { diffLines } from './line-diff.ts';
import { mergeThreeWay, resolveConflicts } from './merge.ts';

const KEYS = () => testKeys({ recipients: ['one', 'two'] });
const set = (text: string, entry: string, value = entry) =>
  setEntry(readText(text), 0, entry, Buffer.from(value), KEYS());
const unset = (text: string, entry: string) => unsetEntry(readText(text), 0, entry);

let base = '';
let folder = '';
before(async () => {
  await sodiumReady();
  folder = mkdtempSync(join(tmpdir(), 'coffer-merge-'));
  const head = 'apiVersion: coffer.dev/v1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: shop}\n';
  const spec = 'spec:\n  recipients: [one, two]\n  readers:\n    - name: w\n  data:\n';
  const data = ['aa', 'bb', 'cc'].map((entry) => `    ${entry}: old\n`).join('');
  base = sealPlaintext(readText(head + spec + data), testKeys).text;
});
after(() => rmSync(folder, { recursive: true }));

/** What git leaves in the file where it cannot merge. */
function conflicted(ours: string, theirs: string, ...style: string[]): string {
  const paths = Object.entries({ ours, base, theirs }).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  return spawnSync('git', ['merge-file', '-p', '-L', 'HEAD', '-L', 'base', '-L', 'topic', ...style, ...paths], {
    encoding: 'utf8',
  }).stdout;
}

describe('merging manifests', () => {
  const clean: [string, (text: string) => string, (text: string) => string, Record<string, string>][] = [
    ['neighbours', (text) => set(text, 'aa'), (text) => set(text, 'bb'), { aa: 'aa', bb: 'bb', cc: 'old' }],
    [
      'two that were appended',
      (text) => set(text, 'x1'),
      (text) => set(text, 'x2'),
      { aa: 'old', bb: 'old', cc: 'old', x1: 'x1', x2: 'x2' },
    ],
    [
      'all against one',
      (text) => ['aa', 'bb'].reduce((now, entry) => set(now, entry), text),
      (text) => set(text, 'cc'),
      { aa: 'aa', bb: 'bb', cc: 'cc' },
    ],
    ['one removed, its neighbour set', (text) => unset(text, 'bb'), (text) => set(text, 'aa'), { aa: 'aa', cc: 'old' }],
    [
      'values and readers',
      (text) => set(text, 'aa'),
      (text) => setReader(readText(text), 0, 'v', ['aa']),
      { aa: 'aa', bb: 'old', cc: 'old' },
    ],
    ['the same removal', (text) => unset(text, 'bb'), (text) => unset(text, 'bb'), { aa: 'old', cc: 'old' }],
  ];
  for (const [name, our, their, values] of clean) {
    test(`both sides are taken: ${name}`, () => {
      const [ours, theirs] = [our(base), their(base)];
      for (const [one, other] of [
        [ours, theirs],
        [theirs, ours],
      ] as const) {
        const { text, conflicts } = mergeThreeWay(base, one, other);
        assert.equal(conflicts, 0, text);
        assert.deepEqual({ ...openedBy('two', readText(text)) }, values);
        const named = new Set(
          [...(readText(text).manifests[0]?.entries.values() ?? [])].map(
            (entry) => entry.kind === 'sealed' && entry.dataKeyId,
          ),
        );
        assert.deepEqual(new Set(readText(text).manifests[0]?.stanzas.keys()), named);
      }
      const marked = conflicted(ours, theirs, '--diff3');
      assert.deepEqual(resolveConflicts(marked).unresolved, 0);
      assert.deepEqual({ ...openedBy('one', readText(resolveConflicts(marked).text)) }, values);
      assert.deepEqual(resolveConflicts(conflicted(ours, theirs), base).unresolved, 0);
    });
  }

  test('a value that both sides changed stays a conflict, with the stanzas for either', () => {
    const [ours, theirs] = [set(base, 'bb', 'ours'), set(base, 'bb', 'theirs')];
    const results = [
      mergeThreeWay(base, ours, theirs),
      ...['--diff3', '--zdiff3', '--no-diff3'].map((style) => {
        const { text, unresolved } = resolveConflicts(conflicted(ours, theirs, style));
        return { text, conflicts: unresolved };
      }),
    ];
    for (const { text, conflicts } of results) {
      assert.equal(conflicts, 1);
      for (const [side, value] of [
        ['ours', 'ours'],
        ['theirs', 'theirs'],
      ] as const) {
        const chosen = text.replace(
          /^<{7}.*\n([\s\S]*?)(?:^\|{7}.*\n[\s\S]*?)?^={7}\n([\s\S]*?)^>{7}.*\n/gm,
          side === 'ours' ? '$1' : '$2',
        );
        assert.deepEqual({ ...openedBy('two', readText(chosen)) }, { aa: 'old', bb: value, cc: 'old' });
      }
    }
    assert.match(results[1]?.text ?? '', /^<{7} HEAD$[\s\S]*^\|{7} base$[\s\S]*^>{7} topic$/m);
  });

  test('removed on one side and changed on the other is a conflict', () => {
    assert.equal(mergeThreeWay(base, unset(base, 'bb'), set(base, 'bb')).conflicts, 1);
  });

  test('a recipient that one side removed has no stanza for what the other side sealed', () => {
    const fewer = rewrap(readText(base), 0, testOpener('one'), [], ['two']);
    const { text, conflicts } = mergeThreeWay(base, fewer, set(base, 'cc'));
    assert.equal(conflicts, 0);
    const manifest = readText(text).manifests[0];
    assert.deepEqual(manifest?.recipients, ['one']);
    for (const stanzas of manifest?.stanzas.values() ?? []) assert.deepEqual([...stanzas.keys()], ['one']);
    assert.deepEqual({ ...openedBy('one', readText(text)) }, { aa: 'old', bb: 'old', cc: 'cc' });
  });

  test('a stanza for a newer key is taken, whichever side made it', () => {
    const newer = rewrap(readText(base), 0, testOpener('one'), [testKey('two', 2)], []);
    for (const [ours, theirs] of [
      [newer, set(base, 'bb')],
      [set(base, 'bb'), newer],
    ] as const) {
      const { text } = mergeThreeWay(base, ours, theirs);
      const kids = [...(readText(text).manifests[0]?.stanzas.values() ?? [])].map((stanzas) => stanzas.get('two')?.kid);
      assert.ok(kids.includes(testKey('two', 2).kid));
    }
  });

  test('texts that are no manifests are merged line by line, as git does', () => {
    assert.deepEqual(mergeThreeWay('a\nb\nc\n', 'x\nb\nc\n', 'a\nb\ny\n'), { text: 'x\nb\ny\n', conflicts: 0 });
    assert.deepEqual(mergeThreeWay('a\n', 'x\n', 'y\n'), {
      text: '<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\n',
      conflicts: 1,
    });
    assert.deepEqual(mergeThreeWay('', '', ''), { text: '', conflicts: 0 });
    assert.deepEqual(mergeThreeWay('', 'a', 'b').conflicts, 1);
  });

  test('a side that changed nothing yields to the other, whatever the texts', () => {
    const line = fc.constantFrom('a\n', 'b\n', 'c\n', 'd\n');
    const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, text, (was, ours, theirs) => {
        const { text: merged, conflicts } = mergeThreeWay(was, ours, theirs);
        if (ours === theirs || was === theirs) assert.deepEqual([merged, conflicts], [ours, 0]);
        if (was === ours) assert.deepEqual([merged, conflicts], [theirs, 0]);
      }),
      { numRuns: 1000 },
    );
  });

  test('a shortest edit turns one list into the other', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, (from, to) => {
        let at = 0;
        const rebuilt: string[] = [];
        for (const hunk of diffLines(from, to)) {
          rebuilt.push(...from.slice(at, hunk.start), ...to.slice(hunk.otherStart, hunk.otherEnd));
          at = hunk.end;
        }
        assert.deepEqual([...rebuilt, ...from.slice(at)], to);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('files with conflict markers', () => {
  test('without markers nothing changes', () => {
    assert.deepEqual(resolveConflicts(base), { text: base, unresolved: 0 });
  });

  test('somebody else’s conflict stays as it is', () => {
    const text = 'a\n<<<<<<< x\nb\n=======\nc\n>>>>>>> y\n';
    assert.deepEqual(resolveConflicts(text), { text, unresolved: 1 });
  });

  for (const text of [
    '<<<<<<< x\na\n',
    '<<<<<<< x\n<<<<<<< y\n',
    '<<<<<<< x\n>>>>>>> y\n',
    'a\n<<<<<<< x\n=======\nb\n',
  ]) {
    test(`markers that do not pair are an error: ${JSON.stringify(text)}`, () => {
      assert.throws(() => resolveConflicts(text), { code: 'CONFLICT_MARKERS_MALFORMED' });
    });
  }

  test('line ends stay', () => {
    const crlf = (text: string) => text.replaceAll('\n', '\r\n');
    const { text, conflicts } = mergeThreeWay(crlf(base), crlf(set(base, 'aa')), crlf(set(base, 'bb')));
    assert.equal(conflicts, 0);
    assert.ok(!/[^\r]\n/.test(text));
  });
});

test('branches that set values apart from each other merge with plain git merge', () => {
  const repository = mkdtempSync(join(folder, 'repository-'));
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args],
      {
        cwd: repository,
        env: { PATH: process.env.PATH, HOME: repository, GIT_CONFIG_NOSYSTEM: '1' },
        encoding: 'utf8',
      },
    );
  const file = join(repository, 'db.yaml');
  const commit = (text: string) => {
    writeFileSync(file, text);
    git('add', '.');
    git('commit', '-qm', 'x');
  };
  git('init', '-q', '-b', 'main');
  commit(base);
  git('checkout', '-qb', 'topic');
  commit(set(base, 'aa'));
  git('checkout', '-q', 'main');
  commit(set(base, 'cc'));
  git('merge', '-q', 'topic', '-m', 'merge');
  assert.deepEqual({ ...openedBy('one', readText(readFileSync(file, 'utf8'))) }, { aa: 'aa', bb: 'old', cc: 'cc' });
});
