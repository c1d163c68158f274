import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from './program.ts';

const never = new AbortController().signal;

test('a program that became another user and may not be killed is late, and ends neither the operator nor its wait', async (t) => {
  // The tests may run as root, who may kill all.
  const killed = t.mock.method(process, 'kill', () => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  const ending = await runProgram(['/bin/sleep', '100000'], Buffer.from('value'), 100, never);
  assert.deepEqual(ending, { how: 'late' });
  assert.equal(killed.mock.callCount(), 1);
  const [{ arguments: told } = { arguments: [] }] = killed.mock.calls;
  killed.mock.restore();
  process.kill(...(told as [number, string]));
});
