import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { Closing } from './closing.ts';
import { lockState } from './state-lock.ts';

test('a state directory that cannot be written is said to be so', async (t) => {
  const directory = onDisk(t);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const blocked = join(directory, 'blocked');
  mkdirSync(join(blocked, 'operator.lock'), { recursive: true });
  for (const stateDirectory of [join(file, 'state'), blocked]) {
    const closing = new Closing();
    await assert.rejects(lockState(stateDirectory, closing), { code: 'STATE_UNWRITABLE', loop: 'stop' });
    await closing.close();
  }
});
