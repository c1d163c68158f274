import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { killIfThere, withDescendants } from './descendants.ts';
import { onFreePort } from './listening.ts';

const run = promisify(execFile);

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

/** A pair as `ssh-keygen` makes it. */
export interface KeyPair {
  /** Of the private key; the public one has `.pub` behind it. */
  file: string;
  /** One line, `TYPE BASE64 COMMENT`. */
  publicLine: string;
}

export async function generateKey(file: string, type: KeyType, passphrase = '', ...args: string[]): Promise<KeyPair> {
  const made = run('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file, ...args]);
  // Where there is such a file it asks whether to replace it, and waits.
  made.child.stdin?.end();
  await made;
  return { file, publicLine: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

export interface SshdOptions {
  hostKeys?: readonly KeyType[];
  /** Lines of sshd_config(5), before ours. */
  config?: readonly string[];
}

/** OpenSSH's own server on a free port, as the current user, who may log in by the keys that are authorized. */
export class Sshd {
  readonly port: number;
  readonly user = userInfo().username;
  /** A test may keep keys there; it goes with the server. */
  readonly folder: string;
  readonly #options: SshdOptions;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, options: SshdOptions) {
    this.folder = folder;
    this.port = port;
    this.#options = options;
  }

  static async start(options: SshdOptions = {}): Promise<Sshd> {
    // sshd of root separates its privileges into an empty folder, which a machine without an sshd service lacks.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const folder = await mkdtemp(join(tmpdir(), 'coffer-sshd-'));
    return await onFreePort(/Address already in use/, async (port) => {
      const sshd = new Sshd(folder, port, options);
      await sshd.renewHostKeys();
      await sshd.authorize();
      await sshd.#launch();
      return sshd;
    });
  }

  /** Where a repository is, as a URL. */
  url(path: string): string {
    return `ssh://${this.user}@127.0.0.1:${this.port}${path}`;
  }

  /** Lines as `ssh-keyscan` prints them, of the keys that the server has now. */
  async knownHosts(...types: readonly KeyType[]): Promise<string> {
    const chosen = types.length > 0 ? types : this.#types;
    const lines = await Promise.all(chosen.map((type) => readFile(`${this.#hostKey(type)}.pub`, 'utf8')));
    return lines.map((line) => `[127.0.0.1]:${this.port} ${line.split(' ').slice(0, 2).join(' ')}\n`).join('');
  }

  /** Only these may log in from now on. */
  async authorize(...keys: readonly KeyPair[]): Promise<void> {
    const file = join(this.folder, 'authorized_keys');
    await writeFile(file, keys.map(({ publicLine }) => `${publicLine}\n`).join(''), { mode: 0o600 });
  }

  async renewHostKeys(): Promise<void> {
    for (const type of this.#types) {
      await rm(this.#hostKey(type), { force: true });
      await rm(`${this.#hostKey(type)}.pub`, { force: true });
      await generateKey(this.#hostKey(type), type);
    }
  }

  /** With its new host keys, on the same port; connections end. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#launch();
  }

  async close(): Promise<void> {
    await this.#end();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #types(): readonly KeyType[] {
    return this.#options.hostKeys ?? ['ed25519'];
  }

  #hostKey(type: KeyType): string {
    return join(this.folder, `host_${type}`);
  }

  async #launch(): Promise<void> {
    const file = join(this.folder, 'sshd_config');
    const lines = [
      ...(this.#options.config ?? []),
      `Port ${this.port}`,
      'ListenAddress 127.0.0.1',
      ...this.#types.map((type) => `HostKey ${this.#hostKey(type)}`),
      `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
      // The folder above is one of a test's, which others may write to.
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'PidFile none',
      // Of a test nobody looks up names.
      'UseDNS no',
      // bash that sshd starts reads ~/.bashrc, and what a developer has there may take seconds, or wait for a lock.
      `SetEnv HOME=${this.folder} GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    // A test that fails to close it leaves nothing behind all the same.
    process.once('exit', () => child.kill('SIGKILL'));
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => reject(new Error(`sshd ended: ${log}`)));
      child.stderr?.on('data', (chunk: Buffer) => {
        log = `${log}${chunk.toString()}`.slice(-10_000);
        if (/Server listening on/.test(log)) resolve();
      });
    });
  }

  /** With the processes of its connections, which have sessions of their own. */
  async #end(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // No connection begins any more.
    child.kill('SIGSTOP');
    const connections = withDescendants(child.pid).map(({ pid }) => pid);
    for (const pid of connections) killIfThere(pid);
    await ended;
    // They may be writing into a repository until they are gone.
    for (const pid of connections) while (await isRunning(pid)) await setTimeout(10);
  }
}

/** proc_pid_stat(5): the third field is the state; whoever is dead may wait for its parent. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  return /^.*\) [^ZX] /s.test(stat);
}
