import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../../../test/support/properties.ts';
import { ed25519PublicKey } from '../../crypto/ed25519.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { ed25519Blob, signMessage } from './sign-message.ts';
import { SshSigners } from './ssh-signers.ts';

const seed = Buffer.alloc(32, 7);

async function allowedSigners(): Promise<string> {
  await sodiumReady();
  return `who namespaces="git" ssh-ed25519 ${ed25519Blob(ed25519PublicKey(seed)).toString('base64')}\n`;
}

test('what is signed verifies for ssh-keygen, in its namespace and for these bytes only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coffer-sshsig-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'signers');
  await writeFile(file, await allowedSigners());
  await writeFile(join(folder, 'sig'), signMessage(Buffer.from('message'), 'git', seed));
  const verify = (message: string, namespace: string) =>
    new Promise<boolean>((resolve) => {
      const args = ['-Y', 'verify', '-f', file, '-I', 'who', '-n', namespace, '-s', join(folder, 'sig')];
      const child = execFile('ssh-keygen', args, (error) => resolve(error === null));
      child.stdin?.end(message);
    });
  assert.deepEqual(
    [await verify('message', 'git'), await verify('massage', 'git'), await verify('message', 'file')],
    [true, false, false],
  );
});

test('what is signed verifies for us, and the seed is left as it was', async () => {
  const bytes = Buffer.from(await allowedSigners());
  const signers = new SshSigners({ allowedSigners: { file: 'signers', bytes } });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (message) => {
      const text = Buffer.from(signMessage(Buffer.from(message), 'git', seed));
      assert.deepEqual(signers.verify(Buffer.from(message), text, 0).names, ['who']);
    }),
  );
  assert.deepEqual(seed, Buffer.alloc(32, 7));
});
