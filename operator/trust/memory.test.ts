import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { Memory, type Remembered } from './memory.ts';

const state = (digit: string, more: Partial<Remembered> = {}): Remembered => ({
  ...{ commit: digit.repeat(40), tree: 'a'.repeat(40), acceptedAt: '2026-01-01T00:00:00.000Z', basis: 'signed' },
  ...{ generation: 1, outstanding: [], held: [], returns: [] },
  ...more,
});

test('while the ref moves both verdicts are remembered, after that the one of the ref', async (t) => {
  const folder = onDisk(t);
  const memory = await Memory.open(folder);
  const error = new CofferError('TRUST_UNSIGNED', 'nobody signed it', { advice: 'Sign it.' });
  const author = { name: 'Ada', email: 'ada@example.org' };
  const held = [{ path: 'db.yaml', aspect: 'spec.readers', commit: '9'.repeat(40), author, error }];
  await memory.note(state('1', { held }), undefined);
  await memory.note(state('2'), '1'.repeat(40));
  const again = await Memory.open(folder);
  const [former, next] = ['1', '2'].map((digit) => again.of(digit.repeat(40)));
  assert.deepEqual([former?.held[0]?.error.code, former?.held[0]?.path, next?.held], ['TRUST_UNSIGNED', 'db.yaml', []]);
  await again.note(state('3'), '2'.repeat(40));
  assert.equal((await Memory.open(folder)).of('1'.repeat(40)), undefined);
  await again.note(state('3', { basis: 'person' }), '3'.repeat(40));
  assert.equal((await Memory.open(folder)).of('3'.repeat(40))?.basis, 'person');
});

test('what was damaged stops the operator: what was held back must not be let in', async (t) => {
  const folder = onDisk(t);
  const file = join(folder, 'trust.json');
  await (await Memory.open(folder)).note(state('1'), undefined);
  const whole = readFileSync(file, 'utf8');
  const broken = [whole.slice(0, 40), '{}', '{"version":2,"states":[]}', whole.replace('"outstanding":[]', '"x":[]')];
  for (const text of broken) {
    writeFileSync(file, text);
    await assert.rejects(Memory.open(folder), (error) => {
      return error instanceof CofferError && error.code === 'TRUST_MEMORY_DAMAGED' && error.data.file === file;
    });
  }
});
