import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { Desk } from './desk.ts';

/** Whether util-linux's `script` is here, which gives a program a terminal; else the test is skipped, loudly. */
export function terminalOrSkip(t: TestContext): boolean {
  const found = spawnSync('script', ['--version'], { encoding: 'utf8' });
  if (found.status === 0 && found.stdout.includes('util-linux')) return true;
  t.skip('`script` of util-linux is not here, so nothing can play a terminal');
  return false;
}

export interface Talked {
  status: number | null;
  /** All that the terminal showed. */
  shown: string;
}

/**
 * Runs coffer at a terminal: waits for each question (a text that is shown) and types the answer that belongs to it. Fails
 * when coffer ends before a question comes.
 */
export async function atTerminal(
  desk: Desk,
  args: readonly string[],
  talk: readonly (readonly [question: string, answer: string])[],
  env: Record<string, string> = {},
): Promise<Talked> {
  const command = [process.execPath, desk.program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: desk.folder,
    env: { ...desk.environment, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const listener = new Listener(child);
  for (const [question, answer] of talk) {
    await listener.hears(question);
    child.stdin?.write(answer);
  }
  // A question that nobody expected gets the end of input for an answer.
  child.stdin?.end();
  return { status: await listener.ended, shown: listener.shown };
}

class Listener {
  shown = '';
  readonly ended: Promise<number | null>;
  #heardUpTo = 0;
  #wake = () => {};
  #isOver = false;

  constructor(child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        this.#isOver = true;
        this.#wake();
        resolve(code);
      });
    });
  }

  async hears(question: string): Promise<void> {
    for (;;) {
      const at = this.shown.indexOf(question, this.#heardUpTo);
      if (at !== -1) {
        this.#heardUpTo = at + question.length;
        return;
      }
      if (this.#isOver) throw new Error(`"${question}" was never asked. The terminal showed:\n${this.shown}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
