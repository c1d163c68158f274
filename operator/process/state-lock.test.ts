import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { Closing } from './closing.ts';
import { lockState } from './state-lock.ts';

test('a state or audit directory that cannot be written is said to be so, and which', async (t) => {
  const directory = onDisk(t);
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const blocked = join(directory, 'blocked');
  mkdirSync(join(blocked, 'operator.lock'), { recursive: true });
  mkdirSync(join(blocked, 'audit.lock'));
  const good = join(directory, 'good');
  for (const [stateDirectory, auditDirectory, code] of [
    [join(file, 'state'), good, 'STATE_UNWRITABLE'],
    [blocked, good, 'STATE_UNWRITABLE'],
    [good, join(file, 'audit'), 'AUDIT_UNWRITABLE'],
    [good, blocked, 'AUDIT_UNWRITABLE'],
  ] as const) {
    const closing = new Closing();
    await assert.rejects(lockState({ stateDirectory, audit: { directory: auditDirectory } }, closing), {
      code,
      loop: 'stop',
    });
    await closing.close();
  }
});
