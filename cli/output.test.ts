import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Bug, CofferError } from '../core/errors.ts';
import { errorReport, exitCodeOf, printable, renderError } from './output.ts';

const CANARY = 'hunter2-canary';
const plain = (error: unknown) => renderError(error, { isTTY: false } as NodeJS.WriteStream);

function systemError(): unknown {
  try {
    return readFileSync('/nonexistent/file');
  } catch (error) {
    return error;
  }
}

describe('errors, as people and programs see them', () => {
  test('a CofferError has its code and message, its place, and the way out, each on its line', () => {
    const error = new CofferError('MANIFEST_PLAINTEXT', 'the value of password is plaintext', {
      advice: 'Run `coffer encrypt`.\nThen commit.',
      data: { file: 'db.yaml', line: 3, column: 5, entry: 'password' },
    });
    assert.equal(
      plain(error),
      'error MANIFEST_PLAINTEXT: the value of password is plaintext\n  db.yaml:3:5\n  Run `coffer encrypt`.\n  Then commit.\n',
    );
  });

  test('programs get what is listed and nothing that an error object carries beside it', () => {
    const error = Object.assign(new CofferError('X', 'm', { advice: 'a', cause: new Error(CANARY) }), {
      secret: CANARY,
    });
    assert.deepEqual(errorReport(error), { code: 'X', message: 'm', advice: 'a', data: {} });
  });

  test('the system’s refusals are told in words, with the path', () => {
    assert.deepEqual([errorReport(systemError()).code, exitCodeOf(systemError())], ['FILE_SYSTEM', 3]);
    assert.match(plain(systemError()), /^error FILE_SYSTEM: \/nonexistent\/file: there is no such file or folder\n/);
  });

  test('a mistake of ours is told as ours, with where it is, and never with what it worked on', () => {
    for (const error of [new TypeError(`${CANARY} is not a function`), new Bug('a state that is ruled out'), CANARY]) {
      const text = plain(error);
      assert.match(text, /^This is a mistake in coffer, not yours\./);
      assert.ok(!`${text}${JSON.stringify(errorReport(error))}`.includes(CANARY));
      assert.deepEqual([errorReport(error).code, exitCodeOf(error)], ['BUG', 3]);
    }
    assert.match(plain(new Bug('a state that is ruled out')), /a state that is ruled out\n {2}at /);
  });

  test('names from files cannot steer the terminal', () => {
    assert.equal(printable('a\u001b[2Jb\u0007\u202ec\u009bd\te\nf'), 'a\ufffd[2Jb\ufffd\ufffdc\ufffdd\te\nf');
    const hostile = new CofferError('X', 'm', { advice: 'a', data: { file: 'evil\u001b]0;x\u0007.yaml' } });
    for (const control of ['\u001b', '\u0007']) assert.ok(!plain(hostile).includes(control));
  });
});
