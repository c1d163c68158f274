import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { Desk } from '../../test/cli/desk.ts';
import { atTerminal, terminalOrSkip } from '../../test/cli/terminal.ts';

const desk = new Desk();
after(() => desk.remove());
desk.coffer(['init']);
desk.coffer(['recipients', 'create', 'alice', '--type', 'person']);
desk.coffer(['recipients', 'create', 'production', '--type', 'cluster', '--key-dir', '../production-keys']);

const FILE = 'db.yaml';
const PLAIN = `apiVersion: coffer.dev/v1
kind: EncryptedSecret
metadata: {name: db, namespace: payments} # kept
spec:
  recipients: [alice, production]
  readers: [{name: api}]
  data:
    username: "admin"
    password: "first" # kept too
`;
desk.write(FILE, PLAIN);
desk.coffer(['encrypt', FILE]);
const SEALED = desk.read(FILE);

/** What the editor saw: its file, that file's text, and how file and folder were protected. */
const SEEN = join(desk.home, 'seen');

/** An editor that is a shell script; `$1` is the file. */
function editor(script: string): Record<string, string> {
  mkdirSync(join(desk.home, 'bin'), { recursive: true });
  const path = join(desk.home, 'bin', 'the-editor');
  const look = `printf '%s\\n' "$1" > '${SEEN}'; stat -c %a "$1" "$(dirname "$1")" >> '${SEEN}'; cat "$1" >> '${SEEN}'`;
  writeFileSync(path, `#!/bin/sh\n${look}\n${script}\n`, { mode: 0o755 });
  return { EDITOR: 'the-editor' };
}

function seen(): { file: string; modes: string[]; text: string } {
  const [file = '', fileMode = '', folderMode = '', ...lines] = readFileSync(SEEN, 'utf8').split('\n');
  return { file, modes: [fileMode, folderMode], text: lines.join('\n') };
}

function assertNothingLeft(): void {
  assert.ok(!existsSync(dirname(seen().file)), 'the folder of the edit is gone');
}

beforeEach(() => desk.write(FILE, SEALED));

describe('coffer edit', () => {
  test('shows plaintext in memory to its owner alone, and seals only what was changed', () => {
    const env = editor(
      `sed -i -e 's/"first"/"second"/' -e 's/^    username/    # new\\n    token: a.b.c\\n    username/' "$1"`,
    );
    const { status, stdout, stderr } = desk.try(['edit', FILE], { env });
    assert.deepEqual([status, stdout], [0, `${FILE}: sealed token, password\n`], stderr);
    const { file, modes, text } = seen();
    assert.match(file, /^\/(dev\/shm|run)\//);
    assert.deepEqual(modes, ['600', '700']);
    assert.match(text.replace(/^ {2}# coffer: .*\n/m, ''), new RegExp(`^${escaped(PLAIN)}$`));
    assertNothingLeft();

    const after = desk.read(FILE);
    assert.ok(!after.includes('a.b.c') && !after.includes('second'));
    const userLine = /^ {4}username: .*$/m;
    assert.equal(userLine.exec(after)?.[0], userLine.exec(SEALED)?.[0], 'what was not changed keeps its ciphertext');
    assert.match(after, /^ {4}# new\n {4}token: CF/m);
    assert.match(after, /^ {4}password: "CF\S+ # kept too$/m);
    assert.deepEqual(
      ['username', 'password', 'token'].map((entry) => desk.coffer(['get', FILE, entry])),
      ['admin', 'second', 'a.b.c'],
    );
  });

  const unchanged: [string, string, number, string][] = [
    ['nothing is saved', 'exit 0', 0, ''],
    ['a line is changed back', 'sed -i s/first/second/ "$1"; sed -i s/second/first/ "$1"', 0, ''],
    ['a value is written another way', `sed -i "s/\\"first\\"/'first'/" "$1"`, 0, ''],
    ['the editor fails', 'sed -i s/first/second/ "$1"; exit 1', 3, 'EDITOR_FAILED'],
    ['the editor is not there', 'exec /nonexistent', 3, 'EDITOR_FAILED'],
    ['what was saved is no YAML', 'echo "  : [" >> "$1"', 3, 'FILE_SYNTAX'],
    ['what was saved is refused', 'sed -i s/name:.api/name:\\ API_/ "$1"', 3, ''],
    ['what was saved is no manifest any more', 'sed -i s/apiVersion/apiversion/ "$1"', 3, 'EDIT_NO_MANIFEST'],
    ['the line of the stanzas is gone', 'sed -i "/# coffer:/d" "$1"', 3, 'EDIT_STANZAS_LOST'],
    [
      'the file itself was changed meanwhile',
      `sed -i s/first/second/ "$1"; echo '# other' >> ${FILE}`,
      3,
      'EDIT_FILE_CHANGED',
    ],
  ];
  for (const [what, script, exit, code] of unchanged) {
    test(`${what}: nothing is changed, nothing is left`, () => {
      const { status, stdout, stderr } = desk.try(['edit', FILE], { env: editor(script) });
      assert.equal(status, exit, stderr);
      if (code !== '') assert.match(stderr, new RegExp(`^error ${code}: `, 'm'));
      assert.ok(!/admin|first|second/.test(stdout + stderr), 'no value in what is said');
      assert.equal(desk.read(FILE).replace('# other\n', ''), SEALED);
      assertNothingLeft();
    });
  }

  test('what does not open stays sealed text, and the rest can be changed', () => {
    // A value that alice has no stanza for: sealed while she was not listed.
    desk.write(FILE, SEALED.replace('[alice, production]', '[production]').replace(/^ {6}alice: .*\n/gm, ''));
    desk.coffer(['set', FILE, 'token'], 'a.b.c');
    const before = desk.read(FILE);
    const args = ['edit', FILE, '--key-dir', '../production-keys'];
    assert.equal(desk.try(args, { env: editor('exit 0') }).status, 0);
    assert.match(seen().text, /token: "a.b.c"/);
    const { status, stderr } = desk.try(['edit', FILE], {
      env: editor('sed -i "s/^  data:/  data:\\n    more: x/" "$1"'),
    });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^warning: token stays sealed: /m);
    assert.match(seen().text, /token: CF\[1:/);
    assert.ok(desk.read(FILE).includes(/^ {4}token: .*$/m.exec(before)?.[0] ?? 'nothing'));
    assert.equal(desk.coffer(['get', FILE, 'more', '--key-dir', '../production-keys']), 'x');
  });

  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    test(`${signal} while the editor is open: nothing is left, nothing is changed`, async () => {
      const env = { ...desk.environment, ...editor(`echo open > '${join(desk.home, 'open')}'; exec sleep 60`) };
      const opened = new Promise<void>((resolve) => {
        const watcher = watch(desk.home, (_, name) => {
          if (name !== 'open') return;
          watcher.close();
          resolve();
        });
      });
      const child = spawn(process.execPath, [desk.program, 'edit', FILE], { cwd: desk.folder, env, stdio: 'ignore' });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      await opened;
      child.kill(signal);
      assert.equal(await ended, signal === 'SIGTERM' ? 143 : 129);
      assertNothingLeft();
      assert.equal(desk.read(FILE), SEALED);
    });
  }

  test('at a terminal, an edit that is refused can be mended: the editor opens again on what was saved', async (t) => {
    if (!terminalOrSkip(t)) return;
    const env = editor(
      'if grep -q "^  : \\[" "$1"; then sed -i "/^  : \\[/d" "$1"; else sed -i s/first/second/ "$1"; echo "  : [" >> "$1"; fi',
    );
    const { status, shown } = await atTerminal(desk, ['edit', FILE], [['Open the editor again?', 'y\r']], env);
    assert.equal(status, 0, shown);
    assert.match(shown, /FILE_SYNTAX/);
    assert.equal(desk.coffer(['get', FILE, 'password']), 'second');
    assertNothingLeft();
  });
});

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
