import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, watch } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SWEEP = join(import.meta.dirname, 'sweep.sh');
const LINES_SHOWN = 15;
const SWEPT_MS = 240_000;

/** A program that writes its log into the folder. */
export interface Program {
  name: string;
  logFile: string;
  /** Settles when the process is gone. */
  ended: Promise<void>;
  hasEnded(): boolean;
  /** SIGKILL, as a crash would: what these programs must keep is in etcd. */
  kill(): Promise<void>;
}

/**
 * The folder of a cluster or a node, and all that is started in it. A process of its own, `sweep.sh`, waits for this process to
 * remove the folder or to die, even by SIGKILL, and then leaves nothing behind: no process, no mount, no file.
 */
export class SweptFolder {
  readonly path: string;
  readonly #sweeper: ChildProcess;

  private constructor(path: string, sweeper: ChildProcess) {
    this.path = path;
    this.#sweeper = sweeper;
  }

  /** @param prefix of a new folder among the temporary files, or @param path of the folder itself, which must not exist. */
  static async make(prefix: string, path?: string): Promise<SweptFolder> {
    if (path !== undefined) await mkdir(path, { mode: 0o700 });
    const made = path ?? (await mkdtemp(join(tmpdir(), prefix)));
    await mkdir(join(made, 'logs'));
    const sweeper = spawn('sh', [SWEEP, made], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
    await once(sweeper, 'spawn');
    letGo(sweeper);
    return new SweptFolder(made, sweeper);
  }

  /** Starts a program in a session of its own, so that Ctrl-C reaches it only through us. */
  start(name: string, program: string, args: readonly string[], env: Record<string, string> = {}): Program {
    const logFile = join(this.path, 'logs', `${name}.log`);
    const log = openSync(logFile, 'a');
    const child = spawn(program, args, {
      cwd: this.path,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env.PATH, HOME: this.path, ...env, COFFER_SWEPT_FOLDER: this.path },
    });
    closeSync(log);
    child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
    const kill = async () => {
      child.ref();
      if (!hasEnded()) child.kill('SIGKILL');
      await ended;
    };
    return { name, logFile, ended, hasEnded, kill };
  }

  /** Ends every program, unmounts, removes the folder. Rejects when something could not be removed. */
  async remove(): Promise<void> {
    if (this.#sweeper.exitCode === null && this.#sweeper.signalCode === null) {
      this.#sweeper.ref();
      const exit = once(this.#sweeper, 'exit');
      this.#sweeper.stdin?.end();
      await exit;
    }
    if (this.#sweeper.exitCode !== 0) throw new Error(`${this.path} could not be removed altogether`);
  }
}

/** Waits until a folder is swept away. */
export async function untilGone(directory: string): Promise<void> {
  const watcher = watch(dirname(directory));
  try {
    while (existsSync(directory)) await once(watcher, 'change', { signal: AbortSignal.timeout(SWEPT_MS) });
  } finally {
    watcher.close();
  }
}

/** The end of a program's log, for the message of what failed. */
export async function lastWords(program: Program): Promise<string> {
  const lines = (await readFile(program.logFile, 'utf8')).trimEnd().split('\n');
  return `${program.name} says, at the end of its log:\n${lines.slice(-LINES_SHOWN).join('\n')}`;
}

/** A test process ends although its sweeper still waits: that is what the sweeper waits for. */
function letGo(child: ChildProcess): void {
  child.unref();
  const stdin = child.stdin as { unref?: () => void } | null;
  stdin?.unref?.();
}
