import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';
import { atTerminal, terminalOrSkip } from '../../test/cli/terminal.ts';

const desk = new Desk();
after(() => desk.remove());
desk.coffer(['init']);
desk.coffer(['recipients', 'create', 'alice', '--type', 'person']);
desk.coffer(['new', 'payments/db', '--recipient', 'alice', '--reader', 'api', '-o', 'db.yaml']);

const HIDDEN = 'typed-\u00e9-canary';

describe('at a terminal', () => {
  test('a value is typed twice and never shown; rubbing out removes a whole character', async (t) => {
    if (!terminalOrSkip(t)) return;
    const { status, shown } = await atTerminal(
      desk,
      ['set', 'db.yaml', 'password'],
      [
        ['(not shown): ', `${HIDDEN}\u00fcx\u007f\u007f\r`],
        ['Once more: ', `${HIDDEN}\r`],
      ],
    );
    assert.equal(status, 0, shown);
    assert.ok(!shown.includes('canary'));
    assert.equal(desk.coffer(['get', 'db.yaml', 'password']), HIDDEN);
  });

  test('two values that differ change nothing', async (t) => {
    if (!terminalOrSkip(t)) return;
    const before = desk.read('db.yaml');
    const { status, shown } = await atTerminal(
      desk,
      ['set', 'db.yaml', 'password'],
      [
        ['(not shown): ', 'one\r'],
        ['Once more: ', 'two\r'],
      ],
    );
    assert.equal(status, 3);
    assert.match(shown, /INPUT_DIFFERS/);
    assert.equal(desk.read('db.yaml'), before);
  });

  test('Ctrl-C ends it', async (t) => {
    if (!terminalOrSkip(t)) return;
    const before = desk.read('db.yaml');
    const { status } = await atTerminal(desk, ['set', 'db.yaml', 'password'], [['(not shown): ', 'half\u0003']]);
    assert.equal(status, 130);
    assert.equal(desk.read('db.yaml'), before);
  });

  test('a recipient that is new to the writer is a question that shows all of its identity and key id', async (t) => {
    if (!terminalOrSkip(t)) return;
    const env = { HOME: join(desk.home, 'bob') };
    const { recipients } = JSON.parse(desk.coffer(['recipients', 'list', '--json']));
    const args = ['set', 'db.yaml', 'token', '--generate', 'hex'];
    const before = desk.read('db.yaml');

    const no = await atTerminal(desk, args, [['from now on? [y/N] ', 'n\r']], env);
    assert.equal(no.status, 3);
    assert.match(no.shown, /RECIPIENT_NOT_CONFIRMED/);
    assert.equal(desk.read('db.yaml'), before);

    const yes = await atTerminal(desk, args, [['from now on? [y/N] ', 'yes\r']], env);
    assert.equal(yes.status, 0, yes.shown);
    assert.ok(yes.shown.includes(recipients[0].identity) && yes.shown.includes(recipients[0].keys[0].id));

    const then = await atTerminal(desk, args, [], env);
    assert.equal(then.status, 0, 'once pinned, nothing is asked');
  });

  test('a changed identity is a question as well, and says that it is changed', async (t) => {
    if (!terminalOrSkip(t)) return;
    const env = { HOME: join(desk.home, 'carol') };
    assert.equal((await atTerminal(desk, ['recipients', 'pin', 'alice'], [['[y/N] ', 'y\r']], env)).status, 0);
    const file = '.coffer/recipients/alice.yaml';
    const genuine = desk.read(file);
    desk.run('rm', [file]);
    const swapped = { HOME: join(desk.home, 'mallory') };
    assert.equal(desk.try(['recipients', 'create', 'alice', '--type', 'person'], { env: swapped }).status, 0);

    const refused = desk.try(['set', 'db.yaml', 'x'], { env, input: 'y' });
    assert.deepEqual([refused.status, refused.stderr.split(':')[0]], [3, 'error RECIPIENT_IDENTITY_CHANGED']);
    const asked = await atTerminal(desk, ['recipients', 'pin', 'alice'], [['[y/N] ', '\r']], env);
    assert.equal(asked.status, 3);
    assert.match(asked.shown, /is NOT the one that you pinned/);
    desk.write(file, genuine);
  });
});
