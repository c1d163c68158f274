import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { generateKey } from '../servers/sshd.ts';
import { never, Pushing, type Way } from './pushing.ts';

/** With what its message holds, for people. */
function refusal(code: string, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof CofferError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    assert.equal(error.loop, 'retry');
    return true;
  };
}

const PROTECTED: Record<string, (bench: Pushing) => Promise<void>> = {
  'an update hook': (bench) => bench.hook('update', 'echo "main is \\033[31mprotected" >&2; exit 1'),
  'a pre-receive hook': (bench) => bench.hook('pre-receive', 'echo "main is protected" >&2; exit 1'),
};

const WAYS: readonly Way[] = ['path', 'http', 'ssh'];

for (const way of WAYS) {
  for (const [what, protect] of Object.entries(PROTECTED)) {
    test(`over ${way}, a branch that is protected by ${what} stays, the server’s words are told, and later it is tried again`, async (t) => {
      const bench = await Pushing.open(t);
      const before = await bench.head();
      const git = await bench.configOf(way);
      const source = await bench.source(git);
      await source.poll(never);
      await protect(bench);
      let now = Date.now();
      const pusher = bench.pusher(git, source, { now: () => new Date(now) });
      const proposal = bench.proposal();
      const push = () => pusher.push(proposal, 'Rotate', never);
      await assert.rejects(
        push(),
        refusal('PUSH_REJECTED', /^\P{Cc}*branch main\P{Cc}*hook declined\P{Cc}*main is \P{Cc}*protected\P{Cc}*$/u),
      );
      assert.equal(await bench.head(), before);
      for (const hook of ['update', 'pre-receive'] as const) await bench.hook(hook, 'exit 0');
      // Not at every look: each would send all of it.
      await assert.rejects(push(), { code: 'PUSH_REJECTED' });
      now += 31_000;
      const pushed = await push();
      assert.ok(pushed !== 'nothing' && pushed.isNew);
    });
  }
}

test('over http, credentials that may only read are told apart from a protected branch', async (t) => {
  const bench = await Pushing.open(t);
  const git = await bench.configOf('http');
  const source = await bench.source(git);
  await source.poll(never);
  await bench.inBare('config', 'http.receivepack', 'false');
  const refused = refusal('PUSH_FORBIDDEN', /may read the repository and not write.*HTTP 403/);
  await assert.rejects(bench.pusher(git, source).push(bench.proposal(), 'Rotate', never), refused);
});

test('over ssh, a deploy key that may only read is told apart from a protected branch', async (t) => {
  const bench = await Pushing.open(t);
  const { sshd, ...git } = await bench.ssh();
  const source = await bench.source(git);
  await source.poll(never);
  const key = await generateKey(`${bench.root}/reader`, 'ed25519');
  // As forges say it; Gitea ends a line before that.
  const script =
    'case $SSH_ORIGINAL_COMMAND in git-upload-pack*) eval $SSH_ORIGINAL_COMMAND;; *) echo; echo ERROR: The key you are authenticating with has been marked as read only. >&2; exit 1;; esac';
  await sshd.authorize({ ...key, publicLine: `command="${script}" ${key.publicLine}` });
  const pusher = bench.pusher({ ...git, sshKeyFile: key.file }, source);
  const refused = refusal('PUSH_FORBIDDEN', /may read the repository and not write.*marked as read only/);
  await assert.rejects(pusher.push(bench.proposal(), 'Rotate', never), refused);
});

test('without an identity nothing is pushed', async (t) => {
  const bench = await Pushing.open(t);
  const git = await bench.configOf('path');
  const source = await bench.source(git);
  await source.poll(never);
  const pusher = bench.pusher(git, source, { keys: { place: '', readIdentity: async () => undefined } });
  await assert.rejects(
    pusher.push(bench.proposal(), 'Rotate', never),
    refusal('PUSH_NO_IDENTITY', /no identity to sign/),
  );
});

test('without git a repository on this machine is not written to', async (t) => {
  const bench = await Pushing.open(t);
  const git = await bench.configOf('path');
  const source = await bench.source(git);
  await source.poll(never);
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = bench.root;
  await assert.rejects(
    bench.pusher(git, source).push(bench.proposal(), 'Rotate', never),
    refusal('PUSH_NO_GIT', /not installed/),
  );
});

test('a server that does not come to an end is left after `timeout`, and what it took meanwhile is seen later', async (t) => {
  const bench = await Pushing.open(t);
  const git = { ...(await bench.configOf('http')), timeout: '1s' };
  const source = await bench.source({ ...git, timeout: '60s' });
  await source.poll(never);
  await bench.hook('pre-receive', 'while [ ! -e "$GIT_DIR/../go" ]; do sleep 0.05; done');
  const proposal = bench.proposal();
  const refused = refusal('SOURCE_TIMEOUT', /took longer/);
  await assert.rejects(bench.pusher(git, source).push(proposal, 'Rotate', never), refused);
  await writeFile(join(bench.root, 'go'), '');
  const patient = bench.pusher({ ...git, timeout: '60s' }, source);
  const ends: unknown[] = [];
  while (ends.at(-1) !== 'nothing') {
    await source.poll(never);
    ends.push(await patient.push(proposal, 'Rotate', never).catch((error: CofferError) => error.code));
  }
  assert.equal(await bench.inBare('rev-list', '--count', 'main'), '2');
});
