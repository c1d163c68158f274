import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { writePrivateFile } from './decrypt-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'coffer-decrypt-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('a file of plaintext', () => {
  test('is private, and takes the place of another only when told to', async () => {
    const file = join(folder, 'file');
    await writePrivateFile(file, Buffer.from('one'), false);
    await assert.rejects(writePrivateFile(file, Buffer.from('two'), false), { code: 'DECRYPT_OUTPUT_EXISTS' });
    assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['one', 0o600]);
    await writePrivateFile(file, Buffer.from('two'), true);
    assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['two', 0o600]);
  });

  test('is not there in part', { skip: process.getuid?.() !== 0 && 'mounting needs root' }, async (t) => {
    const at = mkdtempSync(join(folder, 'full-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'coffer-test', at]);
    if (mounted.status !== 0) {
      t.skip('this machine does not let root mount a tmpfs');
      return;
    }
    try {
      await assert.rejects(writePrivateFile(join(at, 'file'), Buffer.alloc(100_000, 'secret'), false), {
        code: 'ENOSPC',
      });
      assert.deepEqual(readdirSync(at), []);
    } finally {
      spawnSync('umount', [at]);
    }
  });
});
