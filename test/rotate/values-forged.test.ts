import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Lives } from './lives.ts';
import { withSpec } from './rotating.ts';

const DAY = 24 * 3_600_000;

test('a rotation that others put into the operator’s memory is none: nothing is pushed, and the log says it', async (t) => {
  const rotation = { token: { every: '30d', generate: { kind: 'hex' } } };
  const lives = await Lives.open(t, (stage) => ({
    'api.json': withSpec(stage.manifest({ namespace: 'payments', name: 'api', data: { token: 'first' } }), {
      rotation,
    }),
  }));
  const first = await lives.begin({ mayPush: false });
  await first.look();
  lives.clocks.pass(31 * DAY);
  await first.look();
  assert.equal(first.rotation.status().rotations?.underway, 1);
  await first.end();
  const folder = lives.stage.path('state', 'rotations');
  for (const name of readdirSync(folder)) {
    const [, memory] = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    writeFileSync(join(folder, name), `${JSON.stringify(memory)}\n`);
  }
  lives.clocks.pass(-31 * DAY);
  const second = await lives.begin();
  await second.look();
  await second.look();
  assert.equal(await lives.stage.read('payments/api', 'api', 'token'), 'first');
  assert.equal(second.rotation.status().rotations?.underway, 0);
  assert.equal(second.thrown.filter((error) => /was not written by this operator/.test(String(error))).length, 2);
  await second.end();
});
