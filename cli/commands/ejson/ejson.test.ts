import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Keypair } from '../../../core/ejson/keypair.ts';
import { partOrSkip } from '../../../test/parts/parts.ts';

const COFFER = join(import.meta.dirname, '../../coffer.ts');
const CANARY = 'canary-7f3a9c-<secret>';

const scratch = mkdtempSync(join(tmpdir(), 'coffer-cli-ejson-'));
after(() => rmSync(scratch, { recursive: true }));

/** A folder with a key directory, one key pair in it, and a plaintext file for that key. */
class Desk {
  readonly folder = mkdtempSync(join(scratch, 'desk-'));
  readonly keyDirectory = join(this.folder, 'keys');
  readonly file = join(this.folder, 'secrets.ejson');
  readonly publicKey: string;

  constructor() {
    const keypair = Keypair.generate();
    this.publicKey = keypair.publicText;
    mkdirSync(this.keyDirectory);
    writeFileSync(join(this.keyDirectory, this.publicKey), keypair.privateText());
    writeFileSync(this.file, `{\n  "_public_key": "${this.publicKey}",\n  "password": "${CANARY}"\n}\n`);
  }

  coffer(args: string[], options: { input?: string; keydir?: string } = {}) {
    return this.#spawn(process.execPath, [COFFER, 'ejson', ...args], options);
  }

  #spawn(program: string, args: string[], { input = '', keydir = this.keyDirectory }) {
    const env = { PATH: process.env.PATH, HOME: this.folder, XDG_CACHE_HOME: scratch, EJSON_KEYDIR: keydir };
    return spawnSync(program, args, { cwd: this.folder, env, input, encoding: 'utf8' });
  }

  shell(script: string, args: string[]) {
    return this.#spawn('sh', ['-c', script, 'sh', ...args], {});
  }

  tool(program: string, args: string[]) {
    return this.#spawn(program, args, {});
  }
}

describe('coffer ejson', () => {
  test('seals in place, opens to standard output and leaves no plaintext anywhere else', () => {
    const desk = new Desk();
    const sealing = desk.coffer(['encrypt', desk.file]);
    assert.deepEqual([sealing.status, sealing.stderr], [0, '']);
    assert.equal(sealing.stdout, `Wrote ${statSync(desk.file).size} bytes to ${desk.file}.\n`);

    const opening = desk.coffer(['d', desk.file]);
    assert.deepEqual([opening.status, opening.stderr], [0, '']);
    assert.equal(JSON.parse(opening.stdout).password, CANARY);

    for (const entry of readdirSync(desk.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes('canary-7f3a9c'), entry.name);
    }
  });

  test('and the real tool use each other’s keys and files', async (t) => {
    const program = await partOrSkip(t, 'ejson');
    if (program === undefined) return;
    const desk = new Desk();
    assert.equal(desk.tool(program, ['encrypt', desk.file]).status, 0);
    const byCoffer = desk.coffer(['decrypt', desk.file]).stdout;
    assert.equal(byCoffer, desk.tool(program, ['decrypt', desk.file]).stdout);
    assert.equal(JSON.parse(byCoffer).password, CANARY);

    const toolsKey = desk.tool(program, ['-keydir', desk.keyDirectory, 'keygen', '-w']).stdout.trim();
    writeFileSync(desk.file, `{"_public_key":"${toolsKey}","a":"b"}`);
    assert.equal(desk.coffer(['e', desk.file]).status, 0);
    assert.equal(desk.coffer(['d', desk.file]).stdout, `{"_public_key":"${toolsKey}","a":"b"}`);
    assert.equal(desk.tool(program, ['d', desk.file]).stdout, `{"_public_key":"${toolsKey}","a":"b"}`);
  });

  test('keygen prints a pair that opens, given by standard input, without any key directory', () => {
    const desk = new Desk();
    const [, publicKey = '', , privateKey = ''] = desk.coffer(['keygen']).stdout.split('\n');
    writeFileSync(desk.file, `{"_public_key":"${publicKey}","a":"${CANARY}"}`);
    assert.equal(desk.coffer(['encrypt', desk.file]).status, 0);
    const opening = desk.coffer(['decrypt', '-key-from-stdin', desk.file], {
      input: `${privateKey}\n`,
      keydir: '/nowhere',
    });
    assert.equal(JSON.parse(opening.stdout).a, CANARY);
  });

  test('keygen -w prints only the public key, and the private one is for its owner alone', () => {
    const desk = new Desk();
    const { stdout } = desk.coffer(['keygen', '-w']);
    assert.match(stdout, /^[0-9a-f]{64}\n$/);
    const keyFile = join(desk.keyDirectory, stdout.trim());
    assert.match(readFileSync(keyFile, 'utf8'), /^[0-9a-f]{64}\n$/);
    assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  });

  test('decrypt -o writes a file for its owner alone, also over one that was open to all', () => {
    const desk = new Desk();
    desk.coffer(['encrypt', desk.file]);
    const out = join(desk.folder, 'out.json');
    writeFileSync(out, 'old', { mode: 0o644 });
    const { status, stdout } = desk.coffer(['decrypt', '-o', out, desk.file]);
    assert.deepEqual([status, stdout], [0, '']);
    assert.equal(JSON.parse(readFileSync(out, 'utf8')).password, CANARY);
    assert.equal(statSync(out).mode & 0o777, 0o600);
  });

  test('decrypt -o into a pipe writes to it and does not replace it', () => {
    const desk = new Desk();
    desk.coffer(['encrypt', desk.file]);
    const { status, stdout } = desk.shell(
      `mkfifo pipe && { "$1" "$2" ejson decrypt -o pipe "$3" & cat pipe && wait $! && test -p pipe; }`,
      [process.execPath, COFFER, desk.file],
    );
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).password, CANARY);
  });

  test('leaves a file that it refuses as it was, and names the place but not the value', () => {
    const desk = new Desk();
    const bad = `{"_public_key":"${desk.publicKey}",\n"a":[{"_b":1},"${CANARY}"]}`;
    writeFileSync(desk.file, bad);
    const { status, stdout, stderr } = desk.coffer(['encrypt', desk.file]);
    assert.equal(status, 3);
    assert.match(stderr, /EJSON_UNDERSCORE_LEAK[\s\S]*secrets\.ejson:2:15/);
    assert.ok(!`${stdout}${stderr}`.includes('canary'));
    assert.equal(readFileSync(desk.file, 'utf8'), bad);
  });

  test('keeps the mode of the file that it seals', () => {
    const desk = new Desk();
    rmSync(desk.file);
    writeFileSync(desk.file, `{"_public_key":"${desk.publicKey}","a":"b"}`, { mode: 0o640 });
    desk.coffer(['encrypt', desk.file]);
    assert.equal(statSync(desk.file).mode & 0o777, 0o640);
  });

  test('prints for programs with --json, and an opened file is its own JSON', () => {
    const desk = new Desk();
    assert.deepEqual(JSON.parse(desk.coffer(['encrypt', '--json', desk.file]).stdout), {
      files: [{ file: desk.file, sealed: 1 }],
    });
    assert.equal(JSON.parse(desk.coffer(['decrypt', '--json', desk.file]).stdout).password, CANARY);
    const failed = desk.coffer(['decrypt', '--json', desk.file], { keydir: '/nowhere' });
    assert.equal(JSON.parse(failed.stdout).error.code, 'EJSON_KEY_MISSING');
  });

  for (const [what, args, code, status] of [
    ['no file', ['encrypt'], 'USAGE', 2],
    ['a file that is not there', ['encrypt', 'nowhere.ejson'], 'FILE_SYSTEM', 3],
    ['two files to decrypt', ['decrypt', 'a', 'b'], 'USAGE_UNEXPECTED_ARGUMENT', 2],
    ['a key directory that is not there', ['keygen', '-w', '-keydir', '/nowhere/keys'], 'EJSON_KEY_UNWRITABLE', 3],
    ['a private key that is none', ['decrypt', '--key-from-stdin', 'secrets.ejson'], 'EJSON_KEY_INVALID', 3],
  ] as const) {
    test(`refuses ${what}`, () => {
      const run = new Desk().coffer([...args], { input: 'no key' });
      assert.equal(run.status, status);
      assert.match(run.stderr, new RegExp(code));
    });
  }
});
