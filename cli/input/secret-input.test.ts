import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { readStandardInput } from './secret-input.ts';

test('standard input that is too large is refused, and nothing of it stays in memory', async () => {
  const chunks = [Buffer.alloc(600 * 1024, 'canary'), Buffer.alloc(600 * 1024, 'canary')];
  const stdin = Object.getOwnPropertyDescriptor(process, 'stdin');
  assert.ok(stdin);
  Object.defineProperty(process, 'stdin', { value: Readable.from(chunks), configurable: true });
  try {
    await assert.rejects(
      readStandardInput(),
      (error) => error instanceof CofferError && error.code === 'INPUT_TOO_LARGE',
    );
  } finally {
    Object.defineProperty(process, 'stdin', stdin);
  }
  for (const chunk of chunks) assert.ok(chunk.every((byte) => byte === 0));
});
