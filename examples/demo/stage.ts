/** The place where the demo plays: a folder on disk, one in memory, the programs on the PATH, and everything that has to be gone afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { GitHttpServer } from '../../test/servers/git-http.ts';

const DIST = join(import.meta.dirname, '..', '..', 'dist');
const END_WITHIN_MS = 10_000;

export interface Outcome {
  code: number;
  output: string;
}

export interface RunOptions {
  cwd?: string;
  /** As which user; only root can. */
  uid?: number;
}

export class Stage {
  /** On disk: the developer's clone, the git server's repository, the operators' state. */
  readonly disk: string;
  /** In memory: what the operators project. */
  readonly memory: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #programs: { child: ChildProcess; log: string }[] = [];
  #server: GitHttpServer | undefined;

  constructor() {
    this.disk = mkdtempSync(join(tmpdir(), 'coffer-demo-'));
    this.memory = mkdtempSync(join(memoryFolder(), 'coffer-demo-'));
    chmodSync(this.memory, 0o711);
    const bin = join(this.disk, 'bin');
    mkdirSync(bin);
    for (const program of ['coffer', 'coffer-operator']) symlinkSync(join(DIST, `${program}.js`), join(bin, program));
    this.#environment = {
      PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: this.disk,
      LANG: 'C.UTF-8',
      // Nobody's own git configuration plays a part.
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Dana Developer',
      GIT_AUTHOR_EMAIL: 'dana@example.com',
      GIT_COMMITTER_NAME: 'Dana Developer',
      GIT_COMMITTER_EMAIL: 'dana@example.com',
    };
  }

  /** Runs a command line as a shell would, and waits for its end. */
  async run(line: string, { cwd = this.disk, uid }: RunOptions = {}): Promise<Outcome> {
    const user = uid === undefined ? {} : { uid, gid: uid };
    const child = spawn('bash', ['-c', line], {
      cwd,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 1));
    });
    return { code, output };
  }

  /** Starts a program that runs until the end; what it prints goes to `log`. */
  start(program: string, args: string[], log: string): void {
    const out = openSync(log, 'a');
    const child = spawn(program, args, { cwd: this.disk, env: this.#environment, stdio: ['ignore', out, out] });
    closeSync(out);
    child.once('error', (error) => console.error(error.message));
    this.#programs.push({ child, log });
  }

  /** Serves the bare repositories in `folder` over HTTP, as a team's git server does. */
  async serve(folder: string): Promise<string> {
    this.#server = await GitHttpServer.start({ root: folder });
    return this.#server.url;
  }

  async freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  }

  /** Resolves once `holds` does; throws with the programs' logs if that takes too long, or if one of them ended. */
  async until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await holds())) {
      const ended = this.#programs.some(({ child }) => child.exitCode !== null || child.signalCode !== null);
      if (ended || performance.now() > deadline) {
        const logs = this.#programs.map(({ log }) => `${log}:\n${readFileSync(log, 'utf8')}`);
        throw new Error(`${what} did not happen${ended ? ', a program ended' : ''}\n${logs.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Ends the programs as a service manager would, and says how each ended. */
  async stop(): Promise<number[]> {
    const codes = await Promise.all(this.#programs.splice(0).map(({ child }) => end(child)));
    await this.#server?.close();
    this.#server = undefined;
    return codes;
  }

  /** For every way out, also the abrupt ones: synchronous, and may be called twice. */
  clear(): void {
    for (const { child } of this.#programs) child.kill('SIGKILL');
    for (const folder of [this.disk, this.memory]) rmSync(folder, { recursive: true, force: true });
  }
}

function memoryFolder(): string {
  // Root's projection has to be reachable for its workloads, which a user's own runtime folder is not.
  const runtime = process.getuid?.() === 0 ? undefined : process.env.XDG_RUNTIME_DIR;
  return runtime || '/dev/shm';
}

async function end(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return child.exitCode;
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  const code = await closed;
  clearTimeout(timer);
  return code;
}
