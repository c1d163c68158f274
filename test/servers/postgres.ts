import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { chown, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from './certificates.ts';
import { onFreePort } from './listening.ts';

const run = promisify(execFile);
const INSTALLED = '/usr/lib/postgresql';
/** As root of its databases, over the Unix socket only. */
const ROOT = 'root_of_test';
const DATA = 'data';

export interface PostgresOptions {
  tls?: Certificate;
  /** Lines of pg_hba.conf; absent: everybody by SCRAM. */
  hba?: readonly string[];
}

/** A real PostgreSQL on a free port in a folder of its own, which logs every statement. */
export class Postgres {
  readonly port: number;
  readonly folder: string;
  readonly #as: { uid: number; gid: number } | undefined;
  readonly #programs: string;
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number, programs: string, as: { uid: number; gid: number } | undefined) {
    this.folder = folder;
    this.port = port;
    this.#programs = programs;
    this.#as = as;
  }

  static async start(options: PostgresOptions = {}): Promise<Postgres> {
    const folder = await mkdtemp(join(tmpdir(), 'coffer-postgres-'));
    // It refuses to run as root.
    const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
    const installed = await programs();
    if (as !== undefined) await chown(folder, as.uid, as.gid);
    const initdb = ['-D', join(folder, DATA), '-U', ROOT, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(join(installed, 'initdb'), initdb, { ...as, cwd: folder });
    return await onFreePort(/Address already in use/, async (port) => {
      const server = new Postgres(folder, port, installed, as);
      await server.#configure(options);
      await server.launch();
      return server;
    });
  }

  /** As `postgres://…` on this machine, without TLS unless `host` is given. */
  url(user: string, password: string, { database = 'postgres', host = '127.0.0.1', mode = 'disable' } = {}): string {
    return `postgres://${user}:${encodeURIComponent(password)}@${host}:${this.port}/${database}?sslmode=${mode}`;
  }

  /** As the superuser; rows of columns, separated by `|`. */
  async sql(text: string, database = 'postgres'): Promise<string> {
    const args = [
      '-X',
      '-q',
      '-A',
      '-t',
      '-v',
      'ON_ERROR_STOP=1',
      '-h',
      this.folder,
      '-p',
      String(this.port),
      '-U',
      ROOT,
    ];
    const { stdout } = await run(join(this.#programs, 'psql'), [...args, '-d', database, '-c', text]);
    return stdout.trim();
  }

  /** What the server logged so far, over all its runs. */
  async log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  async launch(): Promise<void> {
    const child = spawn(join(this.#programs, 'postgres'), ['-D', this.#data], {
      ...this.#as,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    // A test that fails to close it leaves nothing behind all the same.
    process.once('exit', () => child.kill('SIGQUIT'));
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.once('error', reject);
      child.once('close', () => reject(new Error(`postgres ended: ${said.slice(-2000)}`)));
      child.stderr?.on('data', (chunk: Buffer) => {
        const text = chunk.toString();
        appendFileSync(join(this.folder, 'log'), text);
        // Clients that try again and again say much before it is ready.
        said = `${said}${text}`.slice(-10_000);
        if (said.includes('ready to accept connections')) resolve();
      });
    });
  }

  /** At once, as a machine that loses power. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // With its own processes, and when all that they logged is in the file.
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGQUIT');
    await ended;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.folder, DATA);
  }

  async #configure({ tls, hba = ['host all all 127.0.0.1/32 scram-sha-256'] }: PostgresOptions): Promise<void> {
    const lines = [
      `port = ${this.port}`,
      "listen_addresses = '127.0.0.1'",
      `unix_socket_directories = '${this.folder}'`,
      'fsync = off',
      "log_statement = 'all'",
      'log_connections = on',
      'max_connections = 30',
    ];
    if (tls !== undefined) {
      for (const [file, name] of [
        [tls.certFile, 'server.crt'],
        [tls.keyFile, 'server.key'],
      ] as const) {
        const copy = join(this.#data, name);
        await copyFile(file, copy);
        if (this.#as !== undefined) await chown(copy, this.#as.uid, this.#as.gid);
      }
      lines.push('ssl = on');
    }
    await writeFile(join(this.#data, 'postgresql.conf'), `${lines.join('\n')}\n`, { flag: 'a' });
    await writeFile(join(this.#data, 'pg_hba.conf'), `local all ${ROOT} trust\n${hba.join('\n')}\n`);
  }
}

/** Of the newest version that is installed. */
async function programs(): Promise<string> {
  const versions = await readdir(INSTALLED);
  const newest = Math.max(...versions.filter((name) => /^\d+$/.test(name)).map(Number));
  return join(INSTALLED, String(newest), 'bin');
}
