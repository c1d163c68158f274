import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeysStage, look } from '../../../test/rotate/keys-stage.ts';

const DAY = 86_400_000;

async function everyTenDays(t: Parameters<typeof KeysStage.open>[0]): Promise<KeysStage> {
  const stage = await KeysStage.open(t);
  await stage.list((recipient) => ({ ...recipient, rotationEvery: '10d' }));
  return stage;
}

function after(stage: KeysStage, days: number): void {
  stage.now = new Date(Date.parse('2026-11-21T10:00:00Z') + days * DAY);
}

describe('a key that is due', () => {
  test('is followed by another when its time has passed, though nothing else changes, and not before', async (t) => {
    const stage = await everyTenDays(t);
    const operator = stage.operator();
    after(stage, 9);
    await look(operator);
    assert.equal(stage.proposal(), undefined);
    after(stage, 10);
    await look(operator);
    assert.deepEqual((await stage.kids()).length, 2);
    await stage.collect();
    assert.equal(stage.listed.rotationEvery, '10d');
    after(stage, 19);
    await look(operator);
    assert.equal(stage.proposal(), undefined);
  });

  test('by a clock that jumps far ahead is followed by one key, and by none when it is put right', async (t) => {
    const stage = await everyTenDays(t);
    const operator = stage.operator();
    after(stage, 10_000);
    for (let looks = 0; looks < 3; looks++) await look(operator);
    await stage.collect();
    for (let looks = 0; looks < 2; looks++) await look(operator);
    assert.equal((await stage.kids()).length, 2);
    after(stage, 11);
    assert.deepEqual(await look(stage.operator()), ['ROTATE_CLOCK_BACK']);
    assert.equal((await stage.kids()).length, 2);
    await stage.ask();
    await look(stage.operator());
    await stage.collect();
    assert.equal(stage.listed.keys.length, 3);
    assert.deepEqual(
      stage.listed.keys.map(({ status }) => status),
      ['active', 'retired', 'retired'],
    );
  });

  test('by a clock that is years behind is not followed, but a wish is', async (t) => {
    const stage = await everyTenDays(t);
    after(stage, -10_000);
    assert.deepEqual(await look(stage.operator()), ['ROTATE_CLOCK_BACK']);
    assert.equal(stage.proposal(), undefined);
    await stage.ask();
    await look(stage.operator());
    await stage.collect();
    assert.deepEqual(
      stage.listed.keys.map(({ status }) => status),
      ['active', 'retired'],
    );
  });
});
