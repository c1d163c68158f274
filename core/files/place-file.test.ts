import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CofferError } from '../errors.ts';
import { placeFile } from './place-file.ts';
import { listIfThere, readIfThere } from './read-if-there.ts';

function fresh(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-place-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const bitsOf = (path: string) => statSync(path).mode & 0o777;

test('folders that are made can be entered by those who may read the file, and by nobody else', async (t) => {
  const before = process.umask(0o022);
  t.after(() => process.umask(before));
  const root = fresh(t);
  for (const [mode, folder] of [
    [0o600, 0o700],
    [0o644, 0o755],
    [0o640, 0o750],
    [undefined, 0o755],
  ] as const) {
    const path = join(root, `${mode}`, 'above', 'file');
    await placeFile(path, 'text', mode === undefined ? {} : { mode });
    assert.equal(bitsOf(dirname(path)), folder);
    assert.equal(bitsOf(dirname(dirname(path))), folder);
    assert.equal(bitsOf(path), mode ?? 0o644);
    assert.equal(await readIfThere(path), 'text');
  }
  // One that is there stays as it is.
  mkdirSync(join(root, 'there'), { mode: 0o711 });
  await placeFile(join(root, 'there', 'file'), 'text', { mode: 0o600 });
  assert.equal(bitsOf(join(root, 'there')), 0o711);
});

test('what is not there is empty, and what else the system refuses is told', async (t) => {
  const root = fresh(t);
  const none = join(root, 'none', 'file');
  assert.deepEqual([await readIfThere(none), await listIfThere(none)], ['', []]);
  const file = join(root, 'file');
  writeFileSync(file, '');
  const isTold = (error: unknown) =>
    error instanceof CofferError && error.code === 'FILE_SYSTEM' && error.message.includes(file);
  await assert.rejects(readIfThere(join(file, 'below')), isTold);
  await assert.rejects(listIfThere(file), isTold);
  await assert.rejects(placeFile(join(file, 'below'), ''), isTold);
});
