import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { never, Pushing } from './pushing.ts';

async function policy(bench: Pushing, may: readonly string[]): Promise<string> {
  const file = join(bench.root, 'policy.yaml');
  const spec = {
    signers: { ssh: { allowedSigners: await bench.allowedSigners() } },
    grants: [{ signers: ['coffer@*'], may }],
  };
  const text = { apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata: { name: 'policy' }, spec };
  await writeFile(file, JSON.stringify(text));
  return file;
}

test('a commit that the operator would itself refuse is not pushed; once its identity is granted that, it is pushed and taken', async (t) => {
  const bench = await Pushing.open(t);
  const before = await bench.head();
  const trust = { mode: 'strict' as const, policy: await policy(bench, ['stanzas']), firstCommit: before };
  const git = { ...(await bench.configOf('path')), trust };
  const source = await bench.source(git);
  const first = await source.poll(never);
  assert.ok(first !== 'unchanged');
  await source.told(first);
  const proposal = bench.proposal();
  const pusher = bench.pusher(git, source);
  await assert.rejects(pusher.push(proposal, 'Rotate', never), (error) => {
    assert.ok(error instanceof CofferError && error.code === 'PUSH_UNTRUSTED', String(error));
    assert.match(error.message, /coffer@production.*keyring/);
    return true;
  });
  assert.equal(await bench.head(), before);
  await policy(bench, ['stanzas', 'keyring']);
  const pushed = await pusher.push(proposal, 'Rotate', never);
  const state = await source.poll(never);
  assert.ok(pushed !== 'nothing' && state !== 'unchanged');
  assert.equal(state.commit, pushed.commit);
  assert.deepEqual(state.signer?.names, ['coffer@production']);
  assert.deepEqual(state.held, []);
});
