import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import { recipientFile } from '../../core/keys/create.ts';
import { CLUSTER, never, Pushing, type Way } from './pushing.ts';

const FILE = recipientFile(CLUSTER);
const WAYS: readonly Way[] = ['path', 'http', 'ssh'];

for (const way of WAYS) {
  describe(`what an operator proposes, pushed over ${way}`, () => {
    test('is one commit upon the accepted one, which git, ssh-keygen and we verify as the identity’s', async (t) => {
      const bench = await Pushing.open(t);
      const before = await bench.head();
      const git = await bench.configOf(way);
      const source = await bench.source(git);
      await source.poll(never);
      const pusher = bench.pusher(git, source);
      const proposal = bench.proposal();
      const pushed = await pusher.push(proposal, 'Rotate the key of production\n\nIt was due.', never);
      assert.deepEqual(pushed, { commit: await bench.head(), branch: 'main', isNew: true });
      assert.equal(await bench.inBare('rev-parse', 'main~1'), before);
      assert.equal(await bench.inBare('diff', '--name-only', 'main~1', 'main'), FILE);
      assert.equal(
        await bench.inBare('log', '-1', '--format=%an <%ae> %s|%b', 'main'),
        'coffer (production) <production@cluster.coffer.dev> Rotate the key of production|It was due.',
      );
      await bench.inBare('fsck', '--strict');
      const signers = `gpg.ssh.allowedSignersFile=${await bench.allowedSigners()}`;
      await bench.inBare('-c', signers, 'verify-commit', 'main');
      const state = await source.poll(never);
      assert.ok(state !== 'unchanged' && state.commit === pushed.commit);
      const raw = source.repository.readRaw(state.commit).bytes;
      assert.equal(readSigned('commit', state.commit, raw).signature?.format, 'ssh');
      assert.equal(await pusher.push(proposal, 'Again', never), 'nothing');
      assert.equal(await bench.head(), pushed.commit);
    });
  });
}
