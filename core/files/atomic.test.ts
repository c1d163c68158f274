import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { writeFileAtomically } from './atomic.ts';

const folder = mkdtempSync(join(tmpdir(), 'coffer-atomic-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of its own for each test, so that what is left behind shows. */
function fresh(): string {
  return mkdtempSync(join(folder, 'test-'));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe('writeFileAtomically', () => {
  test('makes a file with the mode that the umask leaves, or the one that is asked for', async () => {
    const at = fresh();
    await writeFileAtomically(join(at, 'usual'), 'text');
    await writeFileAtomically(join(at, 'private'), Buffer.from('text'), { mode: 0o600 });
    assert.equal(modeOf(join(at, 'usual')), 0o666 & ~process.umask());
    assert.equal(modeOf(join(at, 'private')), 0o600);
    assert.deepEqual(readdirSync(at).sort(), ['private', 'usual']);
  });

  test('keeps the mode of the file that it replaces', async () => {
    const file = join(fresh(), 'file');
    writeFileSync(file, 'before');
    chmodSync(file, 0o640);
    await writeFileAtomically(file, 'after');
    assert.deepEqual([readFileSync(file, 'utf8'), modeOf(file)], ['after', 0o640]);
  });

  test('keeps the owner of the file that it replaces, but not where the new one is to be ours', {
    skip: process.getuid?.() !== 0 && 'giving files away needs root',
  }, async () => {
    const file = join(fresh(), 'file');
    writeFileSync(file, 'before');
    chownSync(file, 65_534, 65_534);
    await writeFileAtomically(file, 'after');
    assert.equal(statSync(file).uid, 65_534);
    await writeFileAtomically(file, 'secret', { mode: 0o600, owner: 'mine' });
    assert.deepEqual([statSync(file).uid, modeOf(file)], [0, 0o600]);
  });

  test('replaces what a symbolic link points at, and keeps the link', async () => {
    const at = fresh();
    mkdirSync(join(at, 'real'));
    writeFileSync(join(at, 'real/file'), 'before');
    symlinkSync('real/file', join(at, 'link'));
    await writeFileAtomically(join(at, 'link'), 'after');
    assert.equal(readFileSync(join(at, 'real/file'), 'utf8'), 'after');
    assert.deepEqual(readdirSync(at).sort(), ['link', 'real']);
    assert.deepEqual(readdirSync(join(at, 'real')), ['file']);
  });

  test('leaves the old file and nothing else where it fails', async () => {
    const at = fresh();
    mkdirSync(join(at, 'taken'));
    writeFileSync(join(at, 'taken/inside'), '');
    await assert.rejects(writeFileAtomically(join(at, 'taken'), 'text'), { code: /EISDIR|ENOTEMPTY|EEXIST/ });
    await assert.rejects(writeFileAtomically(join(at, 'nowhere/file'), 'text'), { code: 'ENOENT' });
    assert.deepEqual(readdirSync(at), ['taken']);
  });

  test('a reader that looks all the time sees one file or the other, whole', async () => {
    const file = join(fresh(), 'file');
    const versions = ['a', 'b'].map((letter) => letter.repeat(200_000));
    await writeFileAtomically(file, versions[0] ?? '');
    const watch = `const fs = require('fs'); for (;;) { const text = fs.readFileSync(process.argv[1], 'latin1');
      if (text.length !== 200000 || text !== text[0].repeat(200000)) { console.log('torn', text.length); process.exit(1); } }`;
    const reader = spawn(process.execPath, ['-e', watch, file], { stdio: 'pipe' });
    const ended = new Promise<string | null>((resolve) => reader.once('exit', (_, signal) => resolve(signal)));
    for (let turn = 0; turn < 50; turn += 1) await writeFileAtomically(file, versions[turn % 2] ?? '');
    reader.kill('SIGKILL');
    assert.equal(await ended, 'SIGKILL', 'the reader found nothing torn');
  });

  test('a full disk leaves the old file', { skip: process.getuid?.() !== 0 && 'mounting needs root' }, async (t) => {
    const at = fresh();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'coffer-test', at]);
    if (mounted.status !== 0) {
      t.skip('this machine does not let root mount a tmpfs');
      return;
    }
    try {
      await writeFileAtomically(join(at, 'file'), 'before');
      await assert.rejects(writeFileAtomically(join(at, 'file'), Buffer.alloc(1_000_000)), { code: 'ENOSPC' });
      assert.equal(readFileSync(join(at, 'file'), 'utf8'), 'before');
      assert.deepEqual(readdirSync(at), ['file']);
    } finally {
      spawnSync('umount', [at]);
    }
  });
});
