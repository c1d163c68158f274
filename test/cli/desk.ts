import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const COFFER = join(import.meta.dirname, '../../cli/coffer.ts');

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Somebody's machine: a home of their own and a git repository in it, on which the real CLI and the real git run. */
export class Desk {
  readonly home = mkdtempSync(join(tmpdir(), 'coffer-desk-'));
  readonly folder = join(this.home, 'secrets');
  readonly keys = join(this.home, '.config', 'coffer', 'keys');
  /** The CLI's entry, for tests that start it in ways of their own. */
  readonly program = COFFER;

  /** With another desk: a copy of it as it stands, which is much faster than to set one up again. */
  constructor(from?: Desk) {
    if (from !== undefined) {
      cpSync(from.home, this.home, { recursive: true, verbatimSymlinks: true });
      return;
    }
    mkdirSync(this.folder);
    this.git('init', '--quiet', '--initial-branch=main');
    this.git('config', 'user.name', 'Ada');
    this.git('config', 'user.email', 'ada@example.com');
  }

  /** Runs coffer and expects it to succeed; its standard output. */
  coffer(args: readonly string[], input = ''): string {
    const { status, stdout, stderr } = this.try(args, { input });
    assert.equal(status, 0, `coffer ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs coffer, however it ends. */
  try(args: readonly string[], options: { input?: string; cwd?: string; env?: Record<string, string> } = {}): Ran {
    return this.run(process.execPath, [COFFER, ...args], options);
  }

  git(...args: string[]): string {
    const { status, stdout, stderr } = this.run('git', args);
    assert.equal(status, 0, `git ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Adds everything and commits it, without hooks. */
  commit(message: string): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--no-verify', '--message', message);
  }

  run(
    program: string,
    args: readonly string[],
    { input = '', cwd = this.folder, env = {} }: { input?: string; cwd?: string; env?: Record<string, string> } = {},
  ): Ran {
    const clean = { ...this.environment, ...env };
    return spawnSync(program, args, { cwd, env: clean, input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  }

  /** Nothing of the machine that runs the tests: neither its keys and pins nor its git configuration. */
  get environment(): Record<string, string> {
    return {
      PATH: `${join(this.home, 'bin')}:${process.env.PATH ?? ''}`,
      HOME: this.home,
      // Compiled code is no state: sharing it saves each process a third of its time.
      XDG_CACHE_HOME: join(tmpdir(), `coffer-desk-cache-${process.getuid?.() ?? 0}`),
      GIT_CONFIG_NOSYSTEM: '1',
    };
  }

  /** A `coffer` on the PATH of what runs here, as git's drivers and hooks call it. */
  installCoffer(): void {
    mkdirSync(join(this.home, 'bin'), { recursive: true });
    const script = `#!/bin/sh\nexec '${process.execPath}' '${COFFER}' "$@"\n`;
    writeFileSync(join(this.home, 'bin', 'coffer'), script, { mode: 0o755 });
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  /** Changes a file by a replacement that has to apply. */
  edit(path: string, from: string | RegExp, to: string): void {
    const before = this.read(path);
    const after = before.replace(from, to);
    assert.notEqual(after, before, `${String(from)} is not in ${path}`);
    this.write(path, after);
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
