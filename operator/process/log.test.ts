import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Bug, CofferError } from '../../core/errors.ts';
import { onDisk } from '../../test/operator/tmpfs.ts';
import { type Log, type LogFields, openLog } from './log.ts';

const CANARY = 'canary-2f0d';

function logged(t: TestContext, write: (log: Log) => void): Record<string, unknown>[] {
  const file = join(onDisk(t), 'log');
  const descriptor = fs.openSync(file, 'w');
  write(openLog(descriptor));
  fs.closeSync(descriptor);
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('the log', () => {
  test('tells an error by its code, message, advice and place', (t) => {
    const data = { file: 'db.yaml', line: 3, column: 7, entry: 'password' };
    const [line] = logged(t, (log) =>
      log.thrown(new CofferError('X_Y', 'What happened.', { advice: 'Do this.', data })),
    );
    assert.partialDeepStrictEqual(line, {
      level: 'error',
      code: 'X_Y',
      msg: 'What happened.',
      advice: 'Do this.',
      place: 'db.yaml:3:7',
      entry: 'password',
    });
    assert.ok(!Number.isNaN(Date.parse(String(line?.time))));
  });

  test('promise 7: prints neither unknown fields nor what an unexpected error says or carries', (t) => {
    const lines = logged(t, (log) => {
      log.info('a message', { commit: 'abc', value: CANARY } as LogFields);
      log.thrown(
        Object.assign(new Error(`wrong: ${CANARY}\n    at ${CANARY}`, { cause: CANARY }), { values: { CANARY } }),
      );
      log.thrown(
        Object.assign(new CofferError('X', 'y', { advice: 'z', cause: new Error(CANARY) }), { extra: CANARY }),
      );
      log.thrown({ password: CANARY });
      log.thrown(CANARY);
      log.thrown(new Bug('a state that cannot be'));
      log.failure({ code: 'X', message: 'y', data: { path: 'p', other: CANARY } as CofferError['data'] });
    });
    assert.equal(lines.length, 7);
    assert.ok(!JSON.stringify(lines).includes(CANARY));
    assert.equal(lines[0]?.commit, 'abc');
    assert.equal(lines[1]?.msg, 'an unexpected Error');
    assert.match(String(lines[1]?.frames), /log\.test\.ts/);
    assert.equal(lines[5]?.msg, 'a state that cannot be');
  });
});
