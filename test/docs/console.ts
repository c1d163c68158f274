/**
 * Runs what a page shows. In a `console` block a line that begins with `$ ` is a command, lines that begin with `> ` go on
 * with it, and the others are its output, where `…` stands for anything. In a `sh` block every line is a command.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { findPart } from '../parts/parts.ts';
import { type Block, type Page, ROOT } from './pages.ts';

export interface Command {
  text: string;
  line: number;
  /** As the page shows it; undefined where it shows none. */
  output: string | undefined;
}

export interface Outcome extends Command {
  code: number;
  printed: string;
}

export function commandsOf(page: Page): Command[] {
  return page.blocks.flatMap((block) => {
    if (block.language === 'sh') return commandsOfScript(block);
    return block.language === 'console' ? commandsOfConsole(block) : [];
  });
}

function commandsOfScript(block: Block): Command[] {
  const commands: Command[] = [];
  for (const [index, line] of block.text.trimEnd().split('\n').entries()) {
    const last = commands.at(-1);
    if (last?.text.endsWith('\\')) last.text += `\n${line}`;
    else commands.push({ text: line, line: block.line + index, output: undefined });
  }
  return commands;
}

function commandsOfConsole(block: Block): Command[] {
  const commands: Command[] = [];
  for (const [index, line] of block.text.trimEnd().split('\n').entries()) {
    const last = commands.at(-1);
    if (line.startsWith('$ ')) commands.push({ text: line.slice(2), line: block.line + index, output: undefined });
    else if (last && last.output === undefined && line.startsWith('> ')) last.text += `\n${line.slice(2)}`;
    else if (last) last.output = last.output === undefined ? line : `${last.output}\n${line}`;
  }
  return commands;
}

/** Where a page's host keeps things. A folder of the scratch place stands for each, so that no test touches the machine. */
const HOST_FOLDERS = /\/etc\/coffer|\/var\/lib\/coffer|\/run\/coffer|\/dev\/shm\/coffer/g;
const IN_MEMORY = ['/run/coffer', '/dev/shm/coffer'];

/** Runs the commands one after the other in one shell, in a new folder, with a home of its own and the programs on the PATH. */
export async function runInScratch(commands: readonly Command[]): Promise<Outcome[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'coffer-docs-'));
  const memory = mkdtempSync('/dev/shm/coffer-docs-');
  try {
    const [bin, out, work] = ['bin', 'out', 'work'].map((name) => join(scratch, name)) as [string, string, string];
    for (const folder of [bin, out, work]) mkdirSync(folder);
    for (const program of ['coffer', 'coffer-operator'])
      symlinkSync(join(ROOT, 'dist', `${program}.js`), join(bin, program));
    for (const name of ['sops', 'age-keygen'] as const) {
      const part = await findPart(name);
      if (part !== undefined) symlinkSync(part, join(bin, name));
    }
    const script = join(scratch, 'script');
    const relocate = (text: string) =>
      text.replaceAll(HOST_FOLDERS, (folder) => join(IN_MEMORY.includes(folder) ? memory : scratch, folder));
    const steps = commands.map(({ text }, index) => stepOf(relocate(text), join(out, String(index))));
    writeFileSync(script, steps.join('\n'));
    // Not in the environment: there it would count more than what a page tells git.
    writeFileSync(join(scratch, '.gitconfig'), '[user]\n\tname = Dana Developer\n\temail = dana@example.com\n');
    await bash(script, work, {
      PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: scratch,
      XDG_RUNTIME_DIR: memory,
      LANG: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      /** For pages that start from a file of examples/. */
      COFFER_CHECKOUT: ROOT,
    });
    return commands.map((command, index) => ({ ...command, ...resultIn(join(out, String(index))) }));
  } finally {
    for (const folder of [scratch, memory]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Braces and not a subshell: `cd` and variables last until the end of the page. */
function stepOf(text: string, file: string): string {
  return `{ ${text}\n} >${file} 2>&1 </dev/null\necho $? >${file}.code`;
}

function resultIn(file: string): { code: number; printed: string } {
  if (!existsSync(`${file}.code`)) return { code: -1, printed: 'was not reached: the shell ended before it' };
  return { code: Number(readFileSync(`${file}.code`, 'utf8')), printed: readFileSync(file, 'utf8').trimEnd() };
}

async function bash(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const shell = spawn('bash', ['--noprofile', '--norc', script], { cwd, env, stdio: 'ignore' });
  await new Promise((resolve, reject) => {
    shell.once('error', reject);
    shell.once('close', resolve);
  });
}

/** Whether what was printed is what the page shows; a line of `…` alone stands for any number of lines. */
export function agrees(shown: string, printed: string): boolean {
  const pattern = shown
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?(?:.*)' : line.trimEnd().split('…').map(literally).join('.*')))
    .join('\n');
  return new RegExp(`^${pattern}$`).test(printed.replaceAll(/[ \t]+$/gm, ''));
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
