import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Desk } from '../test/cli/desk.ts';
import { COMMANDS } from './commands.ts';

const desk = new Desk();
after(() => desk.remove());

const CANARY = 'hunter2-canary';

describe('wrong usage', () => {
  const lines: [string, string[], string][] = [
    ['an unknown command', ['sett', 'f', CANARY], 'USAGE_UNKNOWN_COMMAND'],
    ['an unknown command of a topic', ['recipients', 'lst', CANARY], 'USAGE_UNKNOWN_COMMAND'],
    ['an unknown flag', ['get', 'f', 'e', `--password=${CANARY}`], 'USAGE_UNKNOWN_FLAG'],
    ['an argument too many', ['unset', 'f', 'e', CANARY], 'USAGE_UNEXPECTED_ARGUMENT'],
    ['an argument too few', ['unset', 'f'], 'USAGE'],
    ['a choice that is none', ['recipients', 'create', 'a', '--type', CANARY], 'USAGE'],
    ['a number that is none', ['audit', 'show', '--log', 'd', '--last', CANARY], 'USAGE'],
    ['a number of a record that is none', ['audit', 'prove', CANARY, '--log', '.'], 'USAGE'],
    ['a value as an argument', ['set', 'f', 'password', CANARY], 'INPUT_AS_ARGUMENT'],
    ['a value in the entry', ['set', 'f', `password=${CANARY}`], 'INPUT_AS_ARGUMENT'],
  ];
  for (const [what, args, code] of lines) {
    test(`${what}: exit code 2, the code ${code}, and nothing of the input repeated`, () => {
      const people = desk.try(args);
      assert.deepEqual([people.status, people.stdout], [2, '']);
      assert.match(people.stderr, new RegExp(`^error ${code}: `));
      const programs = desk.try([...args, '--json']);
      assert.equal(programs.status, 2);
      const { error } = JSON.parse(programs.stdout);
      assert.deepEqual([Object.keys(error), error.code], [['code', 'message', 'advice', 'data'], code]);
      for (const { stdout, stderr } of [people, programs]) assert.ok(!`${stdout}${stderr}`.includes(CANARY));
    });
  }

  test('says what there is not, and where what there is stands', () => {
    assert.equal(
      desk.try(['recipients', 'lst', 'x']).stderr,
      'error USAGE_UNKNOWN_COMMAND: there is no command recipients lst\n  Run `coffer recipients --help` to see the commands.\n',
    );
    // oclif would go on about flags that may come several times.
    assert.match(desk.try(['recipients', 'rotate']).stderr, /^error USAGE: RECIPIENT is missing\n {2}Run .*\n$/);
    assert.match(desk.try(['set']).stderr, /^error USAGE: FILE and ENTRY are missing\n/);
  });

  test('an argument is never filled in from standard input, where a secret may come from', async () => {
    const { status, stdout, stderr } = desk.try(['set', 'f'], { input: CANARY });
    assert.deepEqual([status, stdout, stderr.split(':')[0]], [2, '', 'error USAGE']);
    assert.ok(!stderr.includes(CANARY));
    for (const [id, command] of Object.entries(COMMANDS)) {
      for (const [name, arg] of Object.entries(command.args ?? {}))
        assert.equal(arg.ignoreStdin, true, `${id} ${name}`);
    }
  });

  test('colour is for terminals; NO_COLOR turns it off there, FORCE_COLOR on here', () => {
    const plain = desk.try(['nope']).stderr;
    assert.ok(!plain.includes('\u001b'));
    assert.ok(desk.try(['nope'], { env: { FORCE_COLOR: '1' } }).stderr.includes('\u001b[31m'));
    assert.equal(desk.try(['nope'], { env: { NO_COLOR: '1' } }).stderr, plain);
  });
});
