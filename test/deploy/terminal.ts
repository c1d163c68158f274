import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { commandsOf } from '../docs/console.ts';
import { ROOT, readPages } from '../docs/pages.ts';
import { findPart } from '../parts/parts.ts';

/** Where somebody types what docs/operations.md shows, in a folder that has the project's `deploy/` in it. */
export interface Terminal {
  write(file: string, text: string): void;
  read(file: string): string;
  /** Runs the one command of that section that answers; rejects with what it printed when it fails. */
  run(section: string, command: RegExp): Promise<string>;
}

/** `names`: what is called otherwise here than on the page, such as a namespace. */
export async function terminalOf(
  t: TestContext,
  kubeconfig: string,
  names: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-terminal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(ROOT, 'deploy'), join(folder, 'deploy'));
  const programs = await Promise.all([findPart('helm'), findPart('kubectl')]);
  const folders = programs.flatMap((program) => (program === undefined ? [] : [dirname(program)]));
  const env = { PATH: [...folders, process.env.PATH].join(delimiter), HOME: folder, KUBECONFIG: kubeconfig };
  return {
    write: (file, text) => writeFileSync(join(folder, file), text),
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    async run(section, command) {
      const text = Object.entries(names).reduce(
        (shown, [there, here]) => shown.replaceAll(there, here),
        findCommand(section, command),
      );
      const { stdout } = await promisify(execFile)('bash', ['-euc', text], { cwd: folder, env });
      return stdout;
    },
  };
}

function findCommand(section: string, command: RegExp): string {
  const page = readPages().find(({ file }) => file === 'docs/operations.md');
  assert.ok(page);
  const lines = readFileSync(join(ROOT, page.file), 'utf8').split('\n');
  const from = lines.indexOf(`## ${section}`) + 1;
  const length = lines.slice(from).findIndex((line) => line.startsWith('## '));
  const found = commandsOf(page).filter(
    ({ text, line }) => line > from && (length < 0 || line <= from + length) && command.test(text),
  );
  assert.equal(found.length, 1, `docs/operations.md shows ${found.length} commands like ${command} under ${section}`);
  return found[0]?.text ?? '';
}
