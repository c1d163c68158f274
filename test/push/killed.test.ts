import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { recipientFile } from '../../core/keys/create.ts';
import { proposalText } from '../../core/rotation/proposal.ts';
import { CLUSTER, Pushing, type Way } from './pushing.ts';

const RUNNER = join(import.meta.dirname, 'runner.ts');

/** When the server is asked, it ends the operator; then it takes the commit, or does not. */
const KILLS: Record<string, { hook: string; end: string }> = {
  'before the server took it': { hook: 'pre-receive', end: 'exit 1' },
  'while the server takes it': { hook: 'pre-receive', end: 'exit 0' },
  'before it heard that the server took it': { hook: 'post-receive', end: 'exit 0' },
};
const BRANCHES: [where: string, way: Way, push: { branch?: string }][] = [
  ['the followed branch', 'path', {}],
  ['a branch of its own', 'http', { branch: 'coffer' }],
];

for (const [where, way, push] of BRANCHES) {
  for (const [when, { hook, end }] of Object.entries(KILLS)) {
    test(`an operator that is killed over ${way} ${when} leaves one commit on ${where}, and knows it again`, async (t) => {
      const bench = await Pushing.open(t);
      const git = { ...(await bench.configOf(way)), push };
      const [pid, killing] = [join(bench.root, 'pid'), join(bench.bare, 'hooks', hook)];
      const proposal = proposalText(bench.proposal());
      const run = async () => {
        const args = [RUNNER, JSON.stringify(git), join(bench.root, 'keys'), bench.stateOf(), pid, proposal];
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        const [text, [code, signal]] = await Promise.all([child.stdout.toArray(), once(child, 'close')]);
        return signal ?? (code === 0 ? text.join('') : `exit ${code}`);
      };
      await writeFile(killing, `#!/bin/sh\nkill -9 $(cat ${pid})\n${end}\n`);
      await chmod(killing, 0o755);
      assert.equal(await run(), 'SIGKILL');
      await writeFile(killing, '#!/bin/sh\nexit 0\n');
      // git that outlives the operator may still hold its lock.
      const ends: string[] = [];
      while (ends.length < 20 && ends.at(-1) !== 'done') ends.push(await run());
      assert.equal(ends.at(-1), 'done', ends.join(' '));
      const branch = push.branch ?? 'main';
      assert.equal(await bench.inBare('rev-list', '--count', branch), '2');
      assert.equal(await bench.inBare('diff', '--name-only', `${branch}~1`, branch), recipientFile(CLUSTER));
      await bench.inBare('fsck', '--strict');
      const left = await readdir(bench.stateOf(), { recursive: true });
      assert.deepEqual(
        left.filter((name) => /quarantine|tmp/.test(name)),
        [],
      );
    });
  }
}
