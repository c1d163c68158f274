import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import { readSigned } from '../../git/commits/signed-object.ts';
import { openRepository } from '../../git/repository.ts';
import { isSignedWith } from './signing-key.ts';

test('a commit that git signed is by that key, and by no other; a changed one is by nobody', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-signing-'));
  t.after(() => rm(folder, { recursive: true }));
  const fingerprints = ['one', 'two'].map((name) => {
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    const { stdout } = spawnSync('ssh-keygen', ['-l', '-f', join(folder, `${name}.pub`)], { encoding: 'utf8' });
    return stdout.split(' ')[1] ?? '';
  });
  const tree = await WorkTree.init(join(folder, 'tree'));
  await tree.git('config', 'gpg.format', 'ssh');
  await tree.git('config', 'user.signingkey', join(folder, 'one.pub'));
  await tree.git('commit', '-q', '-S', '--allow-empty', '-m', 'Signed');
  const repository = await openRepository(tree.directory);
  t.after(() => repository.close());
  const oid = await repository.resolve('HEAD');
  const { bytes } = repository.readRaw(oid);
  const signed = readSigned('commit', oid, bytes);
  assert.deepEqual(
    fingerprints.map((one) => isSignedWith(signed, one)),
    [true, false],
  );
  const changed = Buffer.from(bytes.toString('latin1').replace('Signed', 'Forged'), 'latin1');
  assert.equal(isSignedWith(readSigned('commit', oid, changed), fingerprints[0] ?? ''), false);
  await tree.git('commit', '-q', '--allow-empty', '-m', 'Unsigned');
  const head = await repository.resolve('HEAD');
  assert.equal(isSignedWith(readSigned('commit', head, repository.readRaw(head).bytes), fingerprints[0] ?? ''), false);
});
