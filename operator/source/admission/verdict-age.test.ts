import assert from 'node:assert/strict';
import { test } from 'node:test';
import { never, Watching } from '../../../test/operator/watching.ts';
import { generateKey } from '../../../test/servers/sshd.ts';
import { openGitSource } from '../open-git-source.ts';

test('a signer whose time begins later is refused, and taken when it has come though nothing else changes', async (t) => {
  const bench = await Watching.open(t);
  const first = await bench.tree.commit({ a: '1' });
  const key = await generateKey(`${bench.root}/signer`, 'ed25519');
  await bench.file('signers', `ada valid-after="20300101" ${key.publicLine}\n`);
  const spec = { signers: { ssh: { allowedSigners: 'signers' } }, grants: [{ signers: ['ada'], may: ['values'] }] };
  const document = { apiVersion: 'coffer.dev/v1', kind: 'TrustPolicy', metadata: { name: 'policy' }, spec };
  const policy = await bench.file('policy.yaml', JSON.stringify(document));
  let now = new Date('2029-12-31T09:00:00Z');
  const trust = { mode: 'strict', policy, firstCommit: first } as const;
  const source = await openGitSource({ url: bench.tree.directory, trust }, bench.state, { now: () => now });
  t.after(() => source.close());
  await source.poll(never);
  for (const [name, value] of Object.entries({ 'gpg.format': 'ssh', 'user.signingKey': key.file })) {
    await bench.tree.git('config', name, value);
  }
  await bench.tree.git('config', 'commit.gpgSign', 'true');
  const second = await bench.tree.commit({ a: '2' });

  const refusal = await source.poll(never).then(
    () => assert.fail('taken'),
    (error: unknown) => error,
  );
  await assert.rejects(source.poll(never), (error) => error === refusal, 'it is not judged anew at every look');
  now = new Date('2030-01-02T09:00:00Z');
  const taken = await source.poll(never);
  assert.ok(taken !== 'unchanged');
  assert.equal(taken.commit, second);
});
