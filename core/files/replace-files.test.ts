import assert from 'node:assert/strict';
import {
  chmodSync,
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
import { test } from 'node:test';
import { replaceFiles } from './replace-files.ts';

function fresh(t: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-replace-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('many files are replaced with their modes, links followed and new ones made, and nothing else is left', async (t) => {
  const folder = fresh(t);
  const names = [...Array(50).keys()].map((index) => `file-${index}`);
  for (const name of names.slice(1)) writeFileSync(join(folder, name), 'before');
  chmodSync(join(folder, 'file-7'), 0o640);
  mkdirSync(join(folder, 'real'));
  writeFileSync(join(folder, 'real', 'target'), 'before');
  symlinkSync('real/target', join(folder, 'link'));
  const files = new Map([...names, 'link'].map((name) => [join(folder, name), Buffer.from(`after ${name}`)]));
  await replaceFiles(files);
  for (const name of [...names, 'link']) assert.equal(readFileSync(join(folder, name), 'utf8'), `after ${name}`);
  assert.equal(readFileSync(join(folder, 'real', 'target'), 'utf8'), 'after link');
  assert.equal(statSync(join(folder, 'file-7')).mode & 0o777, 0o640);
  assert.equal(statSync(join(folder, 'file-0')).mode & 0o777, 0o666 & ~process.umask());
  assert.deepEqual(readdirSync(folder).sort(), ['link', 'real', ...names].sort());
});

test('where one cannot be written, it says so, every file is the old or the new one, and nothing is left beside', async (t) => {
  const folder = fresh(t);
  const names = [...Array(40).keys()].map((index) => `file-${index}`);
  for (const name of names) writeFileSync(join(folder, name), 'before');
  mkdirSync(join(folder, 'file-25.d'));
  const files = new Map(names.map((name) => [join(folder, name), Buffer.from('after')]));
  const wrong = new Map([...files].map(([path, bytes]) => [path.replace(/file-25$/, 'gone/file-25'), bytes]));
  await assert.rejects(replaceFiles(wrong), { code: 'ENOENT' });
  for (const name of names) assert.ok(['before', 'after'].includes(readFileSync(join(folder, name), 'utf8')));
  await assert.rejects(replaceFiles(new Map([[join(folder, 'file-25.d'), Buffer.from('x')]])), { code: 'EISDIR' });
  assert.deepEqual(readdirSync(folder).sort(), ['file-25.d', ...names].sort());
});
