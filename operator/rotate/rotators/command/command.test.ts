import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from '../../../../test/support/properties.ts';
import type { Change } from '../rotator.ts';
import { CommandRotator } from './command-rotator.ts';
import { questionLines, readReply } from './protocol.ts';

const QUESTION = { step: 'install', rotator: 'r', entry: 'e', isExposed: false } as const;

test('every value comes out of the question as it was, whatever its bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(bytes, bytes, (former, next) => {
      const lines = questionLines(QUESTION, { former, next }).toString('utf8').trimEnd().split('\n');
      const [, ...values] = lines.map((line) => JSON.parse(line));
      assert.deepEqual(values, [{ former: former.toString('base64') }, { next: next.toString('base64') }]);
    }),
  );
});

test('what a program prints is read as what it is, and no message quotes a value', () => {
  const value = Buffer.from('hunter2-and-more');
  for (const [output, expected] of [
    ['', { result: undefined, messages: [] }],
    ['{"result":"done"}', { result: 'done', messages: [] }],
    ['hello\n{"result":"failed"}\n[1]\n{broken\nnull\n', { result: 'failed', messages: [] }],
    ['{"result":"maybe"}', { result: undefined, messages: [] }],
    ['{"message":"a\\u001b[31mb\\nc"}', { result: undefined, messages: ['a [31mb c'] }],
    ['{"message":"set it to hunter2-and-more"}', { result: undefined, messages: ['[withheld: it quotes a value]'] }],
    ['{"message":"…unter2-and-m…"}', { result: undefined, messages: ['[withheld: it quotes a value]'] }],
    [`{"message":"${value.toString('base64')}"}`, { result: undefined, messages: ['[withheld: it quotes a value]'] }],
    [`{"message":"${'x'.repeat(500)}"}`, { result: undefined, messages: ['x'.repeat(200)] }],
  ] as const)
    assert.deepEqual(readReply(Buffer.from(output), [value]), expected, output);
  const many = readReply(Buffer.from('{"message":"again"}\n'.repeat(1000)), []);
  assert.equal(many.messages.length, 20);
});

describe('a program that does not do as it should has failed, whatever it says', () => {
  const change: Change = { former: new Map(), next: new Map([['e', Buffer.from('value-canary')]]) };
  const signal = new AbortController().signal;
  const [failed, unanswered] = ['ROTATOR_COMMAND_FAILED', 'ROTATOR_COMMAND_UNANSWERED'] as const;
  for (const [name, script, how, code, timeout = '4m'] of [
    ['it cannot be run', undefined, /could not be run \(ENOENT\)/, unanswered],
    ['it says nothing', 'cat >/dev/null', /did not say that it is done/, failed],
    ['it says so, and fails', 'echo \'{"result":"done"}\'; exit 3', /ended with 3/, failed],
    [
      'it reads nothing and hangs, and so do its children',
      'sleep 60 & sleep 60',
      /did not end in time/,
      unanswered,
      '500ms',
    ],
    ['it never stops talking', 'yes', /printed far more/, unanswered],
    ['it is killed', 'kill -9 $$', /SIGKILL/, unanswered],
  ] as const) {
    test(name, async () => {
      const run = script === undefined ? ['/nowhere/program'] : ['/bin/sh', '-c', script];
      const rotator = new CommandRotator('tokens', { run, timeout }, () => undefined);
      await assert.rejects(
        rotator.install(change, signal),
        (error: Error & { code?: string }) =>
          error.code === code && how.test(error.message) && !error.message.includes('canary'),
      );
    });
  }

  test('the operator ends', async () => {
    const ending = new AbortController();
    const rotator = new CommandRotator('tokens', { run: ['/bin/sleep', '60'] }, () => undefined);
    const asked = rotator.install(change, ending.signal);
    ending.abort(new Error('ending'));
    await assert.rejects(asked, { message: 'ending' });
  });
});
