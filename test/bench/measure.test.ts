import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { measure, median, runOnce } from './measure.ts';

const busy = 'const end = process.cpuUsage().user + 200_000; while (process.cpuUsage().user < end);';
const busyFor200ms = { program: process.execPath, args: ['-e', busy] };

describe('a measurement', () => {
  test('counts the CPU of the process, and of the children that it waited for', () => {
    const child = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(busy)}])`;
    for (const args of [busyFor200ms.args, ['-e', child]]) {
      const { cpu, wall } = runOnce({ program: process.execPath, args });
      assert.ok(cpu >= 200 && wall >= 190, `${cpu} ms of CPU in ${wall} ms`);
    }
  });

  test('of a program that fails is none', () => {
    assert.throws(
      () => runOnce({ program: process.execPath, args: ['-e', 'console.error("why"); process.exit(4)'] }),
      /\(4\): why/,
    );
    assert.throws(() => runOnce({ program: '/nowhere/program', args: [] }), /failed \(127\)/);
  });

  test('lets the subjects take turns, restores before each run, and does not count the first', () => {
    const turns: string[] = [];
    const subject = (name: string) => ({ name, run: { program: 'true', args: [] }, before: () => turns.push(name) });
    const rounds = measure([subject('a'), subject('b')], 2);
    assert.equal(turns.join(''), 'ababab');
    assert.equal(rounds.get('a')?.length, 2);
  });
});

test('the median is the middle, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});
