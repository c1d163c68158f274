import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { onDisk } from '../../test/operator/tmpfs.ts';

const CANARY = 'canary-51ab';
const PROCESS = JSON.stringify(join(import.meta.dirname, 'run-process.ts'));
const ERRORS = JSON.stringify(join(import.meta.dirname, '../../core/errors.ts'));

function run(t: TestContext, program: string, environment: Record<string, string> = {}) {
  const directory = onDisk(t);
  const code = `import { runProcess } from ${PROCESS}; import { CofferError } from ${ERRORS}; ${program}`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, SECRET: CANARY, ...environment },
  });
  return { status, signal, output: stdout + stderr, left: readdirSync(directory) };
}

describe('the process', () => {
  test('exits as the program says, or as its error does', (t) => {
    assert.equal(run(t, 'await runProcess(async () => 1)').status, 1);
    const failed = run(
      t,
      "await runProcess(async () => { throw new CofferError('X_Y', 'What.', {advice: 'Do.', exit: 2}) })",
    );
    assert.equal(failed.status, 2);
    assert.match(failed.output, /"code":"X_Y"/);
  });

  test('promise 7: ends at an unexpected error, and prints neither it nor what it carries', (t) => {
    const thrown = `Object.assign(new Error('${CANARY}'), {values: ['${CANARY}']})`;
    for (const program of [
      `await runProcess(async () => { throw ${thrown} })`,
      `await runProcess(() => { Promise.reject(${thrown}); return new Promise((end) => setTimeout(end, 120_000)) })`,
      `await runProcess(() => { setImmediate(() => { throw ${thrown} }); return new Promise((end) => setTimeout(end, 120_000)) })`,
      `await runProcess(() => { Promise.reject({password: '${CANARY}'}); return new Promise((end) => setTimeout(end, 120_000)) })`,
    ]) {
      const { status, output, left } = run(t, program);
      assert.equal(status, 3, program);
      assert.match(output, /"level":"error"/);
      assert.ok(!output.includes(CANARY), output);
      assert.deepEqual(left, []);
    }
  });

  test('promise 7: writes no diagnostic report, whatever the environment asks for', (t) => {
    const options = '--report-on-signal --report-uncaught-exception --report-on-fatalerror --report-signal=SIGUSR2';
    const program =
      "await runProcess(async () => { process.kill(process.pid, 'SIGUSR2'); await new Promise((end) => setTimeout(end, 50)); return 0 })";
    assert.deepEqual(run(t, program, { NODE_OPTIONS: options }).left, []);
  });

  test('ends at once at the second signal', (t) => {
    const program = `setInterval(() => {}, 5000);
    await runProcess(async (log, {ended}) => {
      process.kill(process.pid, 'SIGTERM');
      await new Promise((aborted) => ended.addEventListener('abort', aborted));
      process.kill(process.pid, 'SIGTERM');
      await new Promise((end) => setTimeout(end, 120_000));
      return 0;
    })`;
    assert.equal(run(t, program).status, 3);
  });
});
