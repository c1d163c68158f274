import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { TrustSite } from '../../../test/operator/trust-site.ts';
import { code, commitOf, never, Watching } from '../../../test/operator/watching.ts';
import { generateKey } from '../../../test/servers/sshd.ts';
import type { WorkTree } from '../../../test/servers/work-tree.ts';
import { type GitSourceConfig, openGitSource, type SourceSurroundings } from '../open-git-source.ts';
import type { Source } from '../source.ts';

const MANY = 1000;
const MINUTE = 60_000;

const COMMIT = 'commit refs/heads/main\ncommitter Ada <ada@example.org> 1790000000 +0000\ndata 0\n';

/** One commit of many manifests, each of which is read to be judged. */
const files = (parent: string): string => {
  const file = (n: number) => `M 100644 inline many/${n}.yaml\ndata ${String(n).length}\n${n}\n`;
  return `${COMMIT}from ${parent}\n${Array.from({ length: MANY }, (_, n) => file(n)).join('')}done\n`;
};

/** Commits that change nothing at all: only their place in the order counts. */
const commits = (parent: string): string =>
  `${COMMIT}from ${parent}\n${`${COMMIT}\n`.repeat(MANY)}${COMMIT}M 100644 inline readme\ndata 1\nx\ndone\n`;

async function push(tree: WorkTree, stream: (parent: string) => string): Promise<string> {
  const parent = await tree.git('rev-parse', 'HEAD');
  const child = spawn('git', ['-C', tree.directory, 'fast-import', '--quiet', '--done', '--force'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const closed = once(child, 'close');
  child.stdin.end(stream(parent));
  assert.deepEqual(await closed, [0, null]);
  return tree.git('rev-parse', 'main');
}

async function strict(bench: Watching, first: string): Promise<Partial<GitSourceConfig>> {
  const key = await generateKey(`${bench.root}/signer`, 'ed25519');
  await bench.file('signers', `ada ${key.publicLine}\n`);
  const spec = { signers: { ssh: { allowedSigners: 'signers' } }, grants: [{ signers: ['ada'], may: ['values'] }] };
  const document = { apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata: { name: 'policy' }, spec };
  const policy = await bench.file('policy.yaml', JSON.stringify(document));
  return { path: 'secrets', trust: { mode: 'strict', policy, firstCommit: first } };
}

const PUSHES: Record<string, [(parent: string) => string, typeof strict]> = {
  [`${MANY} files`]: [files, async () => ({})],
  [`${MANY} commits that change nothing`]: [commits, strict],
};

for (const [what, [stream, settings]] of Object.entries(PUSHES)) {
  test(`judging ${what} ends when it has taken too long, says so, and is tried again; what was accepted stays`, async (t) => {
    const bench = await Watching.open(t);
    const first = await bench.tree.commit({ 'secrets/a.yaml': '1' });
    const config = { url: bench.tree.directory, ...(await settings(bench, first)) };
    const withSource = async (surroundings: SourceSurroundings, use: (source: Source) => Promise<void>) => {
      const source = await openGitSource(config, bench.state, surroundings);
      await use(source).finally(() => source.close());
    };
    await withSource({}, async (own) => assert.equal(await commitOf(own), first));
    const last = await push(bench.tree, stream);

    await withSource({ judging: 0 }, async (own) => {
      for (const _look of [1, 2]) await assert.rejects(own.poll(never), code('SOURCE_JUDGING_TIMEOUT'));
      assert.equal((await own.accepted())?.commit, first);
    });
    await withSource({}, async (own) => assert.equal(await commitOf(own), last));
  });
}

test('a limit that is longer than a timer can be is none', async (t) => {
  const bench = await Watching.open(t);
  const first = await bench.tree.commit({ a: '1' });
  for (const timeout of ['4d', '60d']) {
    const source = await openGitSource({ url: bench.tree.directory, timeout }, `${bench.state}-${timeout}`);
    t.after(() => source.close());
    assert.equal(await commitOf(source), first);
  }
});

test('a verdict on what is there already that takes longer than a fetch may is told as what it is, and not as the server’s fault', async (t) => {
  const host = await TrustSite.open(t, { people: ['ada', 'bob'] });
  const firstCommit = await host.commit('ada', { 'one.yaml': host.manifest('one', 'first') });
  const [policy, state] = [host.site.path('policy.yaml'), host.site.path('state')];
  const trust = { mode: 'strict', policy, perPath: true, firstCommit } as const;
  const source = await openGitSource({ url: host.site.tree.directory, timeout: '7m', trust }, state);
  t.after(() => source.close());
  assert.equal(await commitOf(source), firstCommit);
  const second = await host.commit(undefined, { 'one.yaml': host.manifest('one', 'unsigned') });
  assert.equal(await commitOf(source), second);
  assert.equal(source.held.length, 1);

  // By another policy it is judged anew, and the time of a fetch is over when that begins.
  host.revoke('bob');
  const judging = new AbortController();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(AbortSignal, 'timeout', () => {
    t.mock.timers.tick(7 * MINUTE);
    judging.abort();
    return judging.signal;
  });
  // Each step takes a second by this clock, however fast the machine is.
  let now = performance.now();
  t.mock.method(performance, 'now', () => (now += 1000));
  await assert.rejects(source.poll(never), code('SOURCE_JUDGING_TIMEOUT'));
});
