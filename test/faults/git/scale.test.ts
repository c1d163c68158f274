import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { generateKey } from '../../servers/sshd.ts';
import { Arena, type Team } from './arena.ts';
import { assertReady, Probe, peakMemory, untilNoneIsLeft } from './observed.ts';

const FILES = 100_000;
const COMMITS = 20_000;
/** Of the whole process, in MiB: both clones come at the same time. Some 720, and what is collected later on a busy machine. */
const MEMORY = 900;
/** Of both clones, in MiB. */
const DISK = 60;

const COMMITTER = 'committer Ada <ada@example.org>';

/** git-fast-import(1): a file, and what is in it. */
function file(path: string, text: string): string {
  return `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;
}

function* manyFiles(parent: string): Generator<string> {
  yield `commit refs/heads/main\n${COMMITTER} 1790000000 +0000\ndata 3\nAll\nfrom ${parent}\n`;
  for (let n = 0; n < FILES; n++) yield file(`many/${n % 10}/${Math.floor(n / 10) % 100}/${n}.txt`, `${n}`);
  yield 'done\n';
}

function* manyCommits(parent: string): Generator<string> {
  for (let n = 0; n < COMMITS; n++) {
    yield `commit refs/heads/main\n${COMMITTER} ${1_790_000_000 + n} +0000\ndata 3\nOne\n`;
    if (n === 0) yield `from ${parent}\n`;
    yield file(`many/${n % 100}.txt`, `${n}`);
  }
  yield 'done\n';
}

async function grow({ tree }: Team, stream: (parent: string) => Iterable<string>): Promise<void> {
  const parent = await tree.git('rev-parse', 'HEAD');
  const child = spawn('git', ['-C', tree.directory, 'fast-import', '--quiet', '--done', '--force'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const closed = once(child, 'close');
  for (const piece of stream(parent)) if (!child.stdin.write(piece)) await once(child.stdin, 'drain');
  child.stdin.end();
  assert.deepEqual(await closed, [0, null]);
  // The files are not written: nobody looks at them there.
  await tree.git('sparse-checkout', 'set', '--no-cone', '/*', '!/many/');
  await tree.git('reset', '-q', '--hard', 'main');
}

/** Every commit from now on is signed, and only those are taken. */
async function trusted({ tree }: Team, arena: Arena): Promise<object> {
  const key = await generateKey(arena.site.path('signer'), 'ed25519');
  fs.writeFileSync(arena.site.path('allowed'), `ada@example.org ${key.publicLine}\n`);
  const spec = {
    signers: { ssh: { allowedSigners: 'allowed' } },
    grants: [{ signers: ['ada@example.org'], may: ['values', 'stanzas'] }],
  };
  const policy = { apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata: { name: 'large' }, spec };
  fs.writeFileSync(arena.site.path('policy.yaml'), JSON.stringify(policy));
  await tree.git('config', 'gpg.format', 'ssh');
  await tree.git('config', 'user.signingKey', key.file);
  await tree.git('config', 'commit.gpgSign', 'true');
  return { mode: 'strict', policy: 'policy.yaml', firstCommit: await tree.git('rev-parse', 'HEAD') };
}

test(`${FILES} files, and ${COMMITS} commits that are all fetched: taken, followed and ready, in little memory`, async (t) => {
  const arena = await Arena.open(t);
  const teams = [await arena.team('wide'), await arena.team('deep')] as const;
  const [wide, deep] = teams;
  await Promise.all([grow(wide, manyFiles), grow(deep, manyCommits)]);
  const common = { allowHttp: true, interval: '1h', timeout: '5m' };
  arena.site.configure({
    sources: [
      { git: { ...common, url: wide.url } },
      { git: { ...common, url: deep.url, trust: await trusted(deep, arena) } },
    ],
  });
  const operator = await arena.site.start();
  const alive = new Probe(t, operator, '/healthz');
  const isAt = async (value: string) => {
    await untilNoneIsLeft(operator, () => teams.filter(({ name }) => arena.value(name) !== value).length);
    for (const { name } of teams) assert.equal(arena.value(name), value, operator.output);
  };
  await isAt('old');
  const first = peakMemory(operator);
  await assertReady(operator);
  const ready = new Probe(t, operator, '/readyz');
  for (const team of teams) await team.commit('new');
  await operator.wake();
  await isAt('new');

  // Both are rewound, by a quarter of a long history.
  await wide.tree.git('reset', '-q', '--hard', 'HEAD~2');
  await deep.tree.git('reset', '-q', '--hard', `HEAD~${COMMITS / 4}`);
  await operator.wake();
  const codes = ['SOURCE_REWOUND', 'TRUST_DIVERGED'];
  await untilNoneIsLeft(
    operator,
    (troubles) => teams.filter(({ name }, index) => troubles(name)?.code !== codes[index]).length,
  );
  // The status tells of it before the line has come through the pipe.
  for (const code of codes) await operator.line((line) => line.code === code);
  await isAt('new');

  for (const probe of [alive, ready]) assert.deepEqual((await probe.end()).failures, []);
  const [peak, disk] = [peakMemory(operator), arena.disk()];
  t.diagnostic(
    `${Math.round(first)} MiB of memory at the first fetch, ${Math.round(peak)} in all, ${Math.round(disk)} MiB on disk, longest answer ${Math.round(alive.longest)} ms`,
  );
  assert.ok(peak < MEMORY, `${peak} MiB of memory`);
  assert.ok(disk < DISK, `${disk} MiB on disk`);
  await operator.end();
});
