import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Team } from './arena.ts';
import { type Case, endure } from './trial.ts';

const FILE = '100644';
const FOLDER = '40000';

interface Row {
  mode: string;
  name: string | Uint8Array;
  oid: string;
}

/** The branch names a commit whose tree has these rows beside those that it should have; git sorts nothing here. */
async function commitRows(team: Team, rows: (more: { blob: string; tree: string }) => Row[]): Promise<void> {
  const { tree } = team;
  const blob = await tree.writeObject('blob', Buffer.from('x'));
  const folder = await tree.writeObject('tree', rowBytes([{ mode: FILE, name: 'config', oid: blob }]));
  const there = (await tree.git('ls-tree', 'HEAD')).split('\n').map((line): Row => {
    const [, mode = '', oid = '', name = ''] = /^(\d+) \w+ (\w+)\t(.*)$/.exec(line) ?? [];
    return { mode: mode.replace(/^0/, ''), name, oid };
  });
  const all = [...there, ...rows({ blob, tree: folder })].sort(byName);
  await commitTree(team, await tree.writeObject('tree', rowBytes(all)));
}

async function commitTree(team: Team, oid: string): Promise<void> {
  const { tree } = team;
  const parent = await tree.git('rev-parse', 'HEAD');
  const who = 'Eve <eve@example.org> 1790000000 +0000';
  const text = `tree ${oid}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\nChange\n`;
  await point(team, await tree.writeObject('commit', Buffer.from(text)));
}

/** As git would refuse to. */
async function point({ tree }: Team, oid: string, ref = 'refs/heads/main'): Promise<void> {
  fs.writeFileSync(join(tree.directory, '.git', ref), `${oid}\n`);
}

function rowBytes(rows: readonly Row[]): Buffer {
  return Buffer.concat(
    rows.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode} `),
      Buffer.from(name),
      Buffer.from([0]),
      Buffer.from(oid, 'hex'),
    ]),
  );
}

/** As git sorts: a folder as if its name ended with a slash. */
function byName(one: Row, other: Row): number {
  const key = ({ mode, name }: Row) => Buffer.concat([Buffer.from(name), Buffer.from(mode === FOLDER ? '/' : '')]);
  return Buffer.compare(key(one), key(other));
}

/** Back to what was accepted, however the branch looks. */
async function goBack({ tree }: Team): Promise<void> {
  const good = fs.readFileSync(join(tree.directory, '.git', 'good'), 'utf8').trim();
  fs.writeFileSync(join(tree.directory, '.git', 'refs/heads/main'), `${good}\n`);
  await tree.git('symbolic-ref', 'HEAD', 'refs/heads/main');
  await tree.git('reset', '-q', '--hard', good);
}

/** What the team does to its repository, and undoes. */
function repository(
  code: string | RegExp | undefined,
  change: (team: Team) => Promise<void>,
  more: Partial<Case> = {},
): Case {
  return {
    ...(code === undefined ? {} : { code }),
    spoil: async (team) => {
      fs.writeFileSync(join(team.tree.directory, '.git', 'good'), await team.tree.git('rev-parse', 'HEAD'));
      await change(team);
    },
    ...(code === undefined ? {} : { mend: goBack }),
    ...more,
  };
}

/** It came over the wire, and is not as git makes it. */
const REFUSED = 'PACK_OBJECT_REFUSED';
/** The real server looks at what it sends as far as it has to, and breaks off. */
const NOT_SENT = 'SOURCE_UNAVAILABLE';
const NO_COMMIT = /^SOURCE_INCOMPLETE$|^PACK_|^GIT_/;

const TREES: Record<string, Case> = {};
for (const name of ['..', '.GIT', 'git~1', '.g\u200cit', 'a/b', '']) {
  TREES[`a folder called ${JSON.stringify(name)}`] = repository(name === '' ? NOT_SENT : REFUSED, (team) =>
    commitRows(team, ({ tree }) => [{ mode: FOLDER, name, oid: tree }]),
  );
}
Object.assign(TREES, {
  'a name twice': repository(REFUSED, (team) =>
    commitRows(team, ({ blob, tree }) => [
      { mode: FILE, name: 'twice', oid: blob },
      { mode: FOLDER, name: 'twice', oid: tree },
    ]),
  ),
  'a mode that is none': repository(REFUSED, (team) =>
    commitRows(team, ({ blob }) => [{ mode: '777777', name: 'x', oid: blob }]),
  ),
  'a tree that ends in the middle': repository(NOT_SENT, async (team) => {
    await commitTree(team, await team.tree.writeObject('tree', Buffer.from('100644 x\0short')));
  }),
  'a tree that is a file': repository(NOT_SENT, async (team) => {
    await commitTree(team, await team.tree.writeObject('blob', Buffer.from('x')));
  }),
  'a commit without an author': repository(REFUSED, async (team) => {
    const oid = await team.tree.git('rev-parse', 'HEAD^{tree}');
    await point(team, await team.tree.writeObject('commit', Buffer.from(`tree ${oid}\n\nx\n`)));
  }),
});

const ODD: Record<string, Case> = {
  'names that are properties of every object': repository(undefined, (team) =>
    commitRows(team, ({ blob, tree }) => [
      { mode: FOLDER, name: '__proto__', oid: tree },
      { mode: FILE, name: 'constructor', oid: blob },
      { mode: FILE, name: 'toString.yaml', oid: blob },
    ]),
  ),
  'names that are not UTF-8, and with control characters': repository(undefined, (team) =>
    commitRows(team, ({ blob }) => [
      { mode: FILE, name: Buffer.from([0xff, 0xfe, 0x2e, 0x79, 0x61, 0x6d, 0x6c]), oid: blob },
      { mode: FILE, name: 'a\u001b[2Jb.yaml', oid: blob },
      { mode: FILE, name: 'a\nb.yaml', oid: blob },
    ]),
  ),
  'symlinks out of it, to themselves, and in circles': repository(undefined, async ({ name, tree, manifest }) => {
    const link = (path: string, to: string) => fs.symlinkSync(to, join(tree.directory, path));
    link('out.yaml', '../../../keys');
    link('passwd.yaml', '/etc/passwd');
    link('self.yaml', 'self.yaml');
    link('one', 'two');
    link('two', 'one');
    await tree.commit({ [`${name}.yaml`]: manifest('new') });
  }),
  'a submodule': repository(undefined, async ({ tree }) => {
    await tree.commit({ '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch /tmp/pwned"\n' });
    await tree.git('update-index', '--add', '--cacheinfo', `160000,${'12'.repeat(20)},x`);
    await tree.git('commit', '-q', '-m', 'Add a submodule');
  }),
  'refs with names of properties, and a thousand of them': repository(
    undefined,
    async ({ tree }) => {
      const head = await tree.git('rev-parse', 'HEAD');
      const names = [
        '__proto__',
        'constructor',
        'hasOwnProperty',
        ...Array.from({ length: 1000 }, (_, n) => `many/${n}`),
      ];
      const lines = names.map((name) => `${head} refs/heads/${name}\n`).join('');
      fs.writeFileSync(
        join(tree.directory, '.git', 'packed-refs'),
        `# pack-refs with: peeled fully-peeled sorted \n${lines}`,
      );
    },
    { mend: async ({ tree }) => fs.rmSync(join(tree.directory, '.git', 'packed-refs')) },
  ),
};

const BRANCHES: Record<string, Case> = {
  'the branch is rewound': repository(
    'SOURCE_REWOUND',
    async ({ tree }) => {
      await tree.git('reset', '-q', '--hard', 'HEAD~2');
    },
    { isLater: true },
  ),
  'the branch is another history': repository(
    'SOURCE_REWOUND',
    async ({ tree, name, manifest }) => {
      await tree.git('checkout', '-q', '--orphan', 'other');
      await tree.commit({ [`${name}.yaml`]: manifest('new') });
      await tree.git('branch', '-M', 'other', 'main');
    },
    { isLater: true },
  ),
  'the branch is deleted': repository('SOURCE_BRANCH_MISSING', async ({ tree }) => {
    await tree.git('checkout', '-q', '-b', 'other');
    await tree.git('branch', '-D', 'main');
  }),
  'every file is deleted': repository('SOURCE_EMPTIED', async ({ tree }) => {
    await tree.git('rm', '-q', '-r', '.');
    await tree.git('commit', '-q', '-m', 'Away with it');
  }),
  'the repository is made anew, and has no commit': repository(
    'SOURCE_EMPTY',
    async ({ tree }) => {
      fs.renameSync(join(tree.directory, '.git'), join(tree.directory, 'away'));
      await tree.git('init', '-q', '-b', 'main');
    },
    { mend: ({ tree }) => putBack(tree.directory) },
  ),
  'the repository is gone': repository(
    'SOURCE_MISSING',
    async ({ tree }) => {
      fs.renameSync(join(tree.directory, '.git'), join(tree.directory, 'away'));
    },
    { mend: ({ tree }) => putBack(tree.directory) },
  ),
  'the repository counts by SHA-256': repository(
    'GIT_FORMAT_UNSUPPORTED',
    async ({ tree }) => {
      fs.renameSync(join(tree.directory, '.git'), join(tree.directory, 'away'));
      await tree.git('init', '-q', '-b', 'main', '--object-format=sha256');
      await tree.git('commit', '-q', '--allow-empty', '-m', 'First');
    },
    { says: /sha-?256/i, mend: ({ tree }) => putBack(tree.directory) },
  ),
  'the branch is a symbolic ref to itself': repository(/^SOURCE_(BRANCH_MISSING|EMPTY)$/, async ({ tree }) => {
    fs.writeFileSync(join(tree.directory, '.git/refs/heads/main'), 'ref: refs/heads/main\n');
  }),
  'the branch is a symbolic ref in a circle': repository(
    /^SOURCE_(BRANCH_MISSING|EMPTY)$/,
    async ({ tree }) => {
      fs.writeFileSync(join(tree.directory, '.git/refs/heads/main'), 'ref: refs/heads/other\n');
      fs.writeFileSync(join(tree.directory, '.git/refs/heads/other'), 'ref: refs/heads/main\n');
    },
    {
      mend: async (team) => {
        fs.rmSync(join(team.tree.directory, '.git/refs/heads/other'));
        await goBack(team);
      },
    },
  ),
  'the branch names a file': repository(NO_COMMIT, async (team) => {
    await point(team, await team.tree.writeObject('blob', Buffer.from('x')));
  }),
  'the branch names a tree': repository(NO_COMMIT, async (team) => {
    await point(team, await team.tree.git('rev-parse', 'HEAD^{tree}'));
  }),
  'an object of the branch is lost': repository(
    /^SOURCE_/,
    async ({ tree, name }) => {
      const oid = await tree.git('rev-parse', `HEAD:${name}.yaml`);
      fs.rmSync(join(tree.directory, '.git/objects', oid.slice(0, 2), oid.slice(2)));
    },
    {
      mend: async (team) => {
        await team.tree.git('hash-object', '-w', `${team.name}.yaml`);
        await goBack(team);
      },
    },
  ),
};

function putBack(directory: string): void {
  fs.rmSync(join(directory, '.git'), { recursive: true, force: true });
  fs.renameSync(join(directory, 'away'), join(directory, '.git'));
}

describe('a hostile repository: last good stays, it is named, and it heals', () => {
  const caps = { memory: 400, disk: 30 };
  test('after a good state', (t) =>
    endure(t, { cases: { ...TREES, ...ODD, ...BRANCHES }, when: 'a later fetch', caps }));
  test('at the first fetch', (t) => endure(t, { cases: BRANCHES, when: 'the first fetch', caps }));
});

test('nothing of a submodule was run', () => assert.ok(!fs.existsSync('/tmp/pwned')));
