import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nameOf } from '../../../test/git/crafted-pack.ts';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import fc from '../../../test/support/properties.ts';
import { writeLoose } from '../objects/loose-object.ts';
import type { ObjectType } from '../packs/pack.ts';
import { objectProblems, refusedProblem } from './check.ts';
import { TOLERATED } from './problem.ts';

/** Compared with what `git fsck` says of the same objects. */
let root: string;
let tree: WorkTree;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-grammar-'));
  tree = await WorkTree.init(join(root, 'team'));
});
after(() => rm(root, { recursive: true }));

type Sample = readonly [ObjectType, Buffer];

interface Said {
  /** The names of the messages. */
  problems: Set<string>;
  /** Git could not even read it, and looked no further. */
  isUnreadable: boolean;
}

async function gits(samples: readonly Sample[]): Promise<Map<string, Said>> {
  const objects = join(tree.directory, '.git', 'objects');
  const oids = samples.map(([type, bytes]) => writeLoose(objects, type, bytes));
  const child = spawn('git', ['-C', tree.directory, 'fsck', '--no-dangling'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = (await child.stderr.setEncoding('utf8').toArray()).join('');
  const found = new Map<string, Said>(oids.map((oid) => [oid, { problems: new Set(), isUnreadable: false }]));
  for (const [, oid = '', problem = ''] of said.matchAll(/^(?:error|warning) in \w+ ([0-9a-f]{40}): (\w+):/gm)) {
    found.get(oid)?.problems.add(problem);
  }
  for (const [, oid = ''] of said.matchAll(/^error: ([0-9a-f]{40}): object (?:could not be parsed|corrupt)/gm)) {
    const object = found.get(oid);
    if (object !== undefined) object.isUnreadable = true;
  }
  return found;
}

const OID = 'd670460b4b4aece5915caf5c68d12f560a9fe3e4';
/** Git takes one name for one type of object. */
const TREE = 'a'.repeat(40);
const PARENT = 'b'.repeat(40);
const TAGGED = 'c'.repeat(40);
const FOLDER = 'd'.repeat(40);
const ADA = 'Ada <ada@example.org> 1700000000 +0100';
const commit = (...lines: string[]): Sample => ['commit', Buffer.from(`${lines.join('\n')}\n\nmessage\n`, 'latin1')];
const tag = (...lines: string[]): Sample => ['tag', Buffer.from(`${lines.join('\n')}\n\nmessage\n`, 'latin1')];
const entry = (name: string | Buffer, mode = '100644', oid = /^0?40000$/.test(mode) ? FOLDER : OID): Buffer =>
  Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(oid, 'hex')]);
const folder = (...entries: Buffer[]): Sample => ['tree', Buffer.concat(entries)];

const author = `author ${ADA}`;
const committer = `committer ${ADA}`;
const people = [
  'Ada <ada@example.org> 1700000000 +0100',
  '<ada@example.org> 1700000000 +0100',
  ' <> 0 +0000',
  'Ada ada@example.org 1700000000 +0100',
  'Ada> <ada@example.org> 1700000000 +0100',
  'Ada<ada@example.org> 1700000000 +0100',
  'Ada <ada<b@example.org> 1700000000 +0100',
  'Ada <ada@example.org 1700000000 +0100',
  'Ada <ada@example.org>1700000000 +0100',
  'Ada <ada@example.org> 01700000000 +0100',
  'Ada <ada@example.org> 0 +0100',
  'Ada <ada@example.org> 18446744073709551615 +0100',
  'Ada <ada@example.org> 99999999999999999999 +0100',
  'Ada <ada@example.org> yesterday +0100',
  'Ada <ada@example.org> 1700000000',
  'Ada <ada@example.org> 1700000000 +01000',
  'Ada <ada@example.org> 1700000000 UTC',
  'Ada <ada@example.org> 1700000000 +0100 ',
];

const SAMPLES: readonly Sample[] = [
  commit(`tree ${TREE}`, author, committer),
  commit(`tree ${TREE}`, `parent ${PARENT}`, `parent ${PARENT}`, author, committer, 'encoding x', 'gpgsig a', ' b'),
  commit(author, committer),
  commit(`tree ${TREE}0`, author, committer),
  commit(`tree ${TREE.slice(1)}`, author, committer),
  commit(`tree ${TREE}`, 'parent 123', author, committer),
  commit(`tree ${TREE}`, committer),
  commit(`tree ${TREE}`, author, author, committer),
  commit(`tree ${TREE}`, author),
  commit(`tree ${TREE}`, author, committer, 'a\0b'),
  ['commit', Buffer.from(`tree ${TREE}\n${author}\n${committer}\n\na\0b`)],
  ['commit', Buffer.from(`tree ${TREE}\n${author}\n${committer}`)],
  ['commit', Buffer.from(`tree ${TREE}\n${author}\n${committer}\n`)],
  ...people.flatMap((who) => [
    commit(`tree ${TREE}`, `author ${who}`, committer),
    commit(`tree ${TREE}`, author, `committer ${who}`),
  ]),
  tag(`object ${TAGGED}`, 'type blob', 'tag v1', `tagger ${ADA}`),
  tag('type blob', 'tag v1', `tagger ${ADA}`),
  tag('object 12', 'type blob', 'tag v1', `tagger ${ADA}`),
  tag(`object ${TAGGED}`, 'tag v1', `tagger ${ADA}`),
  tag(`object ${TAGGED}`, 'type file', 'tag v1', `tagger ${ADA}`),
  tag(`object ${TAGGED}`, 'type blob', `tagger ${ADA}`),
  tag(`object ${TAGGED}`, 'type blob', 'tag a..b', `tagger ${ADA}`),
  tag(`object ${TAGGED}`, 'type blob', 'tag v2'),
  tag(`object ${TAGGED}`, 'type blob', 'tag v3', `tagger ${ADA}`, 'more here'),
  folder(entry('a'), entry('b', '40000'), entry('b.c', '120000'), entry('c', '160000'), entry('d', '100755')),
  folder(entry('b'), entry('a')),
  folder(entry('a', '40000'), entry('a.b')),
  folder(entry('a.b'), entry('a', '40000')),
  folder(entry('a'), entry('a')),
  folder(entry('a'), entry('a.b'), entry('a', '40000')),
  folder(entry('a'), entry('a-'), entry('a-b'), entry('a.b'), entry('a', '40000'), entry('b')),
  folder(entry('.')),
  folder(entry('..')),
  folder(entry('a/b')),
  ...[
    '.git',
    '.GIT',
    '.Git ',
    '.git.',
    '.git...',
    'git~1',
    'GIT~1',
    '.g\u200cit',
    '\ufeff.git',
    '.git:x',
    '.git::$INDEX_ALLOCATION',
  ].map((name) => folder(entry(name))),
  ...['.gi', 'git', 'git~2', '.gitignore', '.git x', 'a\\b', 'a\\.git', '.git\\a', 'x.git', '...'].map((name) =>
    folder(entry(name)),
  ),
  folder(entry('a', '040000')),
  folder(entry('a', '100600')),
  folder(entry('a', '100666')),
  folder(entry('a', '0')),
  folder(entry('a', '777777')),
  folder(entry('a', '100644', '0'.repeat(40))),
  folder(entry('')),
  ['tree', Buffer.from('100644 a')],
  ['tree', entry('a').subarray(0, -1)],
  ['tree', Buffer.from('10064x a\0aaaaaaaaaaaaaaaaaaaa')],
  ['tree', Buffer.from(' a\0aaaaaaaaaaaaaaaaaaaa')],
];

/** Git takes a name in capitals, too; here an object has one name. */
const isCapital = (byte = 0): boolean => byte >= 0x41 && byte <= 0x46;

/** Git looks no further after a name or date that is wrong; we do, for we let some of those through. */
function assertSame(samples: readonly Sample[], said: Map<string, Said>): void {
  for (const [type, bytes] of samples) {
    const text = JSON.stringify(bytes.toString('latin1'));
    const ours = [...new Set<string>(objectProblems(type, bytes))];
    const { problems, isUnreadable } = said.get(nameOf(type, bytes)) ?? { problems: new Set(), isUnreadable: false };
    if (problems.has('badTree')) assert.ok(ours.includes('badTree'), text);
    else if (isUnreadable) assert.notEqual(refusedProblem(type, bytes), undefined, text);
    else assert.deepEqual(ours.slice(0, problems.size || ours.length).sort(), [...problems].sort(), text);
  }
}

/** The other way round it need not be: we also refuse a mode of more than 16 bits, a sign or a tab before a date, and the like. */
function assertRefused(samples: readonly Sample[], said: Map<string, Said>): void {
  for (const [type, bytes] of samples) {
    const { problems, isUnreadable } = said.get(nameOf(type, bytes)) ?? { problems: new Set(), isUnreadable: false };
    if (!isUnreadable && problems.isSubsetOf(TOLERATED)) continue;
    assert.notEqual(refusedProblem(type, bytes), undefined, JSON.stringify(bytes.toString('latin1')));
  }
}

describe('the grammar of objects', () => {
  test('finds what git fsck finds, sample by sample', async () => {
    assertSame(SAMPLES, await gits(SAMPLES));
  });

  test('refuses what git fsck finds in samples that were changed', async () => {
    const change = fc.record({
      sample: fc.constantFrom(...SAMPLES),
      at: fc.nat(),
      drop: fc.nat(2),
      bytes: fc.uint8Array({ maxLength: 1 }).filter(([byte]) => !isCapital(byte)),
    });
    const changed = fc.sample(change, 400).map(({ sample: [type, bytes], at, drop, bytes: put }): Sample => {
      const place = at % (bytes.length + 1);
      return [type, Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + drop)])];
    });
    assertRefused(changed, await gits(changed));
  });

  test('refuses what is dangerous and lets through what old histories have', () => {
    const refused = (sample: Sample): string | undefined => refusedProblem(...sample);
    assert.equal(refused(folder(entry('.GIT'))), 'hasDotgit');
    assert.equal(refused(folder(entry('a', '100644', '0'.repeat(40)))), 'nullSha1');
    assert.equal(refused(folder(entry('a', '100666'))), 'badFilemode');
    assert.equal(refused(folder(entry('a', '2100644'))), 'badFilemode');
    assert.equal(refused(commit(`tree ${TREE}`, author, author, committer)), 'multipleAuthors');
    assert.equal(refused(folder(entry('a', '100664'), entry('b', '040000'))), undefined);
    assert.equal(refused(commit(`tree ${TREE}`, 'author Ada <a@b> 5 UTC', 'committer Ada <a@b>07 +0000')), undefined);
  });
});
