import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenced } from './fenced.ts';
import type { Rotator } from './rotator.ts';

test('an operator that leads no more changes nothing where a credential is used', async () => {
  const done: string[] = [];
  const rotator: Rotator = {
    ...{ name: 'pg', isConfined: true, entriesOf: () => ['password'], next: () => new Map() },
    install: async () => void done.push('install'),
    verify: async () => void done.push('verify'),
    retire: async () => {
      done.push('retire');
      return {};
    },
  };
  let leads = true;
  const held = fenced(rotator, () => {
    if (!leads) throw new Error('leads no more');
  });
  const change = { former: new Map(), next: new Map() };
  const { signal } = new AbortController();
  const steps = [
    () => held.install(change, signal),
    () => held.verify(change, signal),
    () => held.retire(change, { isExposed: false }, signal),
  ];
  for (const step of steps) await step();
  assert.deepEqual(done.splice(0), ['install', 'verify', 'retire']);
  leads = false;
  for (const step of steps) await assert.rejects(step(), /leads no more/);
  assert.deepEqual(done, []);
});
