import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onDisk } from '../../../../test/operator/tmpfs.ts';
import { readSshKey } from './ssh-key.ts';

/** Of nobody. Its passphrase is `correct horse`. */
const ENCRYPTED = `-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,6F188610CC4F8D9426CC2E6D721FC4B2

iln2rSK3+JfJyxFwFres8UNDYJNT64m/jFC0Kfk/zBpr4w6tm29xjLeL8PRd8grr
XQZu/KFw7Hx3CtXuS6uQ6Xvro1hc+PMVUHOws64SqAghZBRE7gNJLvo+FLCstywZ
FiTX87CNKqXKGLO5pqtuYXcWjnn5wcv6k44ovUe27JA=
-----END EC PRIVATE KEY-----
`;

test('a wrong passphrase is told as one, also where the padding comes out right by chance', async (t) => {
  const folder = onDisk(t);
  const files = { sshKeyFile: join(folder, 'id'), sshPassphraseFile: join(folder, 'passphrase') };
  const read = (passphrase: string) => {
    writeFileSync(files.sshPassphraseFile, passphrase);
    return readSshKey(files, undefined);
  };
  writeFileSync(files.sshKeyFile, ENCRYPTED);
  assert.equal((await read('correct horse')).key.type, 'ecdsa-sha2-nistp256');
  // By the second one there is padding at the end, and no key before it.
  for (const wrong of ['wrong 0', 'wrong 296']) await assert.rejects(read(wrong), { code: 'SSH_PASSPHRASE' }, wrong);
  await assert.rejects(readSshKey({ sshKeyFile: files.sshKeyFile }, undefined), { code: 'SSH_PASSPHRASE' });
});
