import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { lockDirectory } from './lock.ts';

const HOLDER = join(import.meta.dirname, '../../test/operator/lock-holder.ts');

describe('the lock of a directory', () => {
  test('is held by one at a time, and can be taken again', (t) => {
    const directory = onDisk(t);
    const lock = lockDirectory(directory, 'lock', 'the test');
    assert.throws(() => lockDirectory(directory, 'lock', 'the test'), { code: 'DIRECTORY_IN_USE', loop: 'stop' });
    lock.release();
    lockDirectory(directory, 'lock', 'the test').release();
    assert.deepEqual(readdirSync(directory), ['lock']);
    assert.equal(statSync(join(directory, 'lock')).mode & 0o777, 0o600);
  });

  test('is held against other processes, and free when its holder was killed', async (t) => {
    const directory = onDisk(t);
    const holder = fork(HOLDER, [directory]);
    await once(holder, 'message');
    assert.throws(() => lockDirectory(directory, 'lock', 'the test'), { code: 'DIRECTORY_IN_USE' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    lockDirectory(directory, 'lock', 'the test').release();
  });

  test('has one winner, however many try at the same moment', async (t) => {
    const directory = onDisk(t);
    const rivals = Array.from({ length: 6 }, () => fork(HOLDER, [directory]));
    const answers = await Promise.all(rivals.map(async (rival) => (await once(rival, 'message'))[0]));
    for (const rival of rivals) rival.kill('SIGKILL');
    assert.equal(answers.filter((answer) => answer === 'held').length, 1, String(answers));
  });
});
