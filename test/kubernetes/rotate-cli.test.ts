import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { identityOf } from '../../core/keys/endorsement.ts';
import { readIdentity, readKeyDirectory } from '../../core/keys/key-directory.ts';
import { readRecipient } from '../../core/keys/recipient.ts';
import { readProposal } from '../../core/rotation/proposal.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { Archive } from '../../operator/rotate/keys/archive.ts';
import { Proposals } from '../../operator/rotate/proposals.ts';
import { Desk } from '../cli/desk.ts';
import { proposedRotation } from '../cli/proposed-rotation.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { onDisk } from '../operator/tmpfs.ts';
import { connectTo } from './scene/connect.ts';

test('the CLI takes over what an operator proposes in a cluster, and gets back a key that it deleted', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster, 'rotate-cli');
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  await sodiumReady();
  const desk = new Desk();
  t.after(() => desk.remove());
  const keys = join(desk.home, 'production');
  const recovery = join(desk.home, 'recovery');
  const recipient = (name: string) => {
    const file = `.coffer/recipients/${name}.yaml`;
    return readRecipient(Buffer.from(desk.read(file)), file);
  };
  desk.coffer(['init', '--no-hook']);
  desk.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', keys]);
  desk.coffer(['recipients', 'create', 'recovery', '--type', 'recovery', '--key-dir', recovery]);
  desk.coffer(['new', 'payments/db', '--reader', 'api', '-o', 'db.yaml', '--recipient', 'production']);
  desk.coffer(['set', 'db.yaml', 'password'], 'value');
  desk.commit('Begin');
  const [former] = recipient('production').keys;
  const [vault] = recipient('recovery').keys;
  assert.ok(former && vault);

  const place = ['--from-cluster', '--kubeconfig', cluster.kubeconfig, '--namespace', namespace];
  const rewrap = () => desk.try(['recipients', 'rewrap', 'production', ...place, '--json']);
  desk.coffer(['recipients', 'rotate', 'production', '--key-dir', recovery]);
  assert.deepEqual([rewrap().status, JSON.parse(rewrap().stdout).awaited], [1, true]);

  const lines = readFileSync(await proposedRotation(desk, ['db.yaml']), 'utf8')
    .trimEnd()
    .split('\n');
  const [id, own] = ['rewrap-production', 'production'];
  const proposal = readProposal(lines, { id, cluster: own, identity: identityOf(await readIdentity(keys, own)) });
  const proposalsOf = (directory: string, identity: string) =>
    new Proposals({
      stateDirectory: onDisk(t),
      cluster: own,
      client,
      store: new DirectoryKeyStore(directory, identity),
    });
  const [proposals, thief] = [proposalsOf(keys, own), proposalsOf(recovery, 'recovery')];
  await thief.publish(proposal);
  assert.equal(JSON.parse(rewrap().stdout).error.code, 'PROPOSAL_IDENTITY');
  assert.equal(await proposals.read(id), undefined, 'nor does the operator go on from it');
  await proposals.publish(proposal);
  assert.deepEqual(await proposals.read(id), proposal);
  const rewrapped = rewrap();
  assert.equal(rewrapped.status, 0, rewrapped.stdout + rewrapped.stderr);
  const { keyId, commit } = JSON.parse(rewrapped.stdout);
  assert.equal(recipient('production').keys[0]?.kid, keyId);
  assert.equal(desk.git('rev-parse', 'HEAD').trim(), commit);
  assert.ok(desk.read('db.yaml').includes(`production: "${keyId}:`));

  const { keys: secrets } = await readKeyDirectory(keys);
  const seed = secrets.get(former.kid)?.seed;
  assert.ok(seed);
  const retired = { recipient: 'production', kid: former.kid };
  await new Archive(onDisk(t), client).keep(seed, retired, [{ recipient: 'recovery', ...vault }]);
  const to = join(desk.home, 'back');
  desk.coffer(['recipients', 'restore', former.kid, ...place, '--key-dir', recovery, '--to', to]);
  assert.deepEqual((await readKeyDirectory(to)).keys.get(former.kid)?.seed, seed);
  const missing = desk.try(['recipients', 'restore', keyId, ...place, '--key-dir', recovery, '--json']);
  assert.deepEqual([missing.status, JSON.parse(missing.stdout).error.code], [1, 'RETIRED_KEY_NONE']);
});
