import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Agent } from 'undici';
import { partOrSkip } from '../parts/parts.ts';
import { Authority, type Certificate } from './certificates.ts';
import { onFreePort } from './listening.ts';
import { Postgres } from './postgres.ts';
import { generateKey, type KeyPair } from './sshd.ts';

const run = promisify(execFile);
const ADMIN = 'forge-admin';
const DATABASE = 'forge';
/** Milliseconds: a limit for what hangs. It makes some hundred tables first. */
const PATIENCE = 240_000;

/** Somebody who has an account. */
export interface Account {
  name: string;
  /** May do all that the account may. */
  token: string;
  password: string;
}

export interface GiteaOptions {
  /** Public keys in whose signatures the forge believes, beside those that people proved to have. */
  trusted?: readonly string[];
}

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: as parsed; the tests assert what it holds
  body: any;
}

/**
 * A real Gitea with a database of its own, over https and ssh on this machine. It signs what it makes by its buttons with a key
 * of its own where the person who presses them has a public key in their account (`[repository.signing]`, the rule `pubkey`).
 */
export class Gitea {
  readonly folder: string;
  readonly caFile: string;
  /** As ssh-keyscan prints them. */
  readonly knownHosts: string;
  readonly url: string;
  readonly sshUrl: string;
  readonly #agent: Agent;
  readonly #admin: Account;

  private constructor(
    parts: Pick<Gitea, 'folder' | 'caFile' | 'knownHosts' | 'url' | 'sshUrl'>,
    inner: { agent: Agent; admin: Account },
  ) {
    this.folder = parts.folder;
    this.caFile = parts.caFile;
    this.knownHosts = parts.knownHosts;
    this.url = parts.url;
    this.sshUrl = parts.sshUrl;
    this.#agent = inner.agent;
    this.#admin = inner.admin;
  }

  /** It serves when this resolves, and goes with the test. Undefined: there is none here, and the test is skipped. */
  static async start(t: TestContext, { trusted = [] }: GiteaOptions = {}): Promise<Gitea | undefined> {
    const program = await partOrSkip(t, 'gitea');
    if (program === undefined) return undefined;
    const folder = await mkdtemp(join(tmpdir(), 'coffer-gitea-'));
    const closers = [() => rm(folder, { recursive: true, force: true })];
    // In this order: what still runs would write to a folder that is being removed.
    t.after(async () => {
      for (const close of closers.reverse()) await close();
    });
    const database = await Postgres.start();
    closers.push(() => database.close());
    const password = randomBytes(16).toString('hex');
    await database.sql(`CREATE ROLE ${DATABASE} LOGIN PASSWORD '${password}'`);
    await database.sql(`CREATE DATABASE ${DATABASE} OWNER ${DATABASE}`);

    const authority = await Authority.open(folder);
    const certificate = await authority.issue('forge');
    const hostKey = await generateKey(join(folder, 'host_key'), 'ed25519');
    await generateKey(join(folder, 'signing_key'), 'ed25519');
    const agent = new Agent({ connect: { ca: authority.certificate.cert } });
    closers.push(() => agent.destroy());
    return onFreePort(/address already in use/, (port) =>
      onFreePort(/address already in use/, async (sshPort) => {
        const config = join(folder, 'app.ini');
        const options = { folder, port, sshPort, hostKey, certificate, trusted, static: await staticRoot(program) };
        await writeFile(config, settings({ ...options, database: { port: database.port, password } }));
        const url = `https://127.0.0.1:${port}`;
        closers.push(await launch(program, config, { agent, url, sshPort }));
        const admin = await createAdmin(program, config);
        const [type, key] = hostKey.publicLine.split(' ');
        return new Gitea(
          {
            ...{ folder, caFile: authority.certificate.certFile, url, sshUrl: `ssh://git@127.0.0.1:${sshPort}` },
            knownHosts: `[127.0.0.1]:${sshPort} ${type} ${key}\n`,
          },
          { agent, admin },
        );
      }),
    );
  }

  /** `path`: after `/api/v1`. `as`: absent, the administrator. */
  async ask(method: string, path: string, body?: object, as: Account = this.#admin): Promise<Answer> {
    return this.#request(method, path, body, `token ${as.token}`);
  }

  /** As `ask`, and rejects what is not done. Resolves to what was answered. */
  async do(method: string, path: string, body?: object, as?: Account): Promise<Answer['body']> {
    const answer = await this.ask(method, path, body, as);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async account(name: string): Promise<Account> {
    const password = randomBytes(16).toString('hex');
    const email = `${name}@example.org`;
    await this.do('POST', '/admin/users', { username: name, email, password, must_change_password: false });
    return { name, password, token: await this.token({ name, password }, 'all') };
  }

  /** A token of somebody's, that may do what the scope says (docs.gitea.com, "API Usage"). */
  async token(of: Omit<Account, 'token'>, scope: string): Promise<string> {
    const wanted = { name: scope, scopes: [scope] };
    const { status, body } = await this.#request('POST', `/users/${of.name}/tokens`, wanted, basic(of));
    if (status !== 201) throw new Error(`no token for ${of.name}: ${status}`);
    return body.sha1;
  }

  async revokeToken(of: Account, scope: string): Promise<void> {
    const path = `/users/${of.name}/tokens/${encodeURIComponent(scope)}`;
    const { status } = await this.#request('DELETE', path, undefined, basic(of));
    if (status !== 204) throw new Error(`a token of ${of.name} stays: ${status}`);
  }

  async #request(method: string, path: string, body: object | undefined, authorization: string): Promise<Answer> {
    const { request } = await import('undici');
    const answered = await request(`${this.url}/api/v1${path}`, {
      ...{ method, dispatcher: this.#agent, headers: { authorization, 'content-type': 'application/json' } },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answered.body.text();
    const isJson = String(answered.headers['content-type']).startsWith('application/json');
    return { status: answered.statusCode, body: isJson ? JSON.parse(text) : text };
  }
}

function basic({ name, password }: Omit<Account, 'token'>): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** Resolves when it serves, to what ends it. Rejects with its last words if it ends by itself. */
async function launch(
  program: string,
  config: string,
  { agent, url, sshPort }: { agent: Agent; url: string; sshPort: number },
): Promise<() => Promise<void>> {
  const { request } = await import('undici');
  const child = spawn(program, ['web', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  // A test that fails to close it leaves nothing behind all the same.
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-20_000);
    });
  }
  let hasEnded = false;
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
  });
  // In peace: programs of git that it runs would go on without it.
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    if (hasEnded) throw new Error(`gitea ended: ${said}`);
    const answer = await request(`${url}/api/healthz`, { dispatcher: agent }).catch(() => undefined);
    await answer?.body.dump();
    if (answer?.statusCode === 200 && (await accepts(sshPort))) return end;
    if (performance.now() > deadline) {
      await end();
      throw new Error(`gitea does not serve: ${said}`);
    }
    await setTimeout(50);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

async function createAdmin(program: string, config: string): Promise<Account> {
  const password = randomBytes(16).toString('hex');
  const who = ['--admin', '--username', ADMIN, '--email', `${ADMIN}@example.org`, '--password', password];
  const token = ['--access-token', '--access-token-name', 'test', '--access-token-scopes', 'all'];
  const args = ['admin', 'user', 'create', '--config', config, ...who, '--must-change-password=false', ...token];
  const { stdout } = await run(program, args);
  const [found] = /[0-9a-f]{40}/.exec(stdout) ?? [];
  if (found === undefined) throw new Error(`no token of the administrator: ${stdout}`);
  return { name: ADMIN, password, token: found };
}

/** Templates and texts stand beside what we build; what a distribution brings has them within. */
async function staticRoot(program: string): Promise<string | undefined> {
  return access(join(dirname(program), 'templates')).then(
    () => dirname(program),
    () => undefined,
  );
}

interface Settings {
  folder: string;
  port: number;
  sshPort: number;
  hostKey: KeyPair;
  certificate: Certificate;
  trusted: readonly string[];
  static: string | undefined;
  database: { port: number; password: string };
}

/** docs.gitea.com, "Configuration Cheat Sheet". */
function settings(of: Settings): string {
  const { folder } = of;
  const sections: Record<string, Record<string, string | number | boolean | undefined>> = {
    server: {
      ...{ PROTOCOL: 'https', CERT_FILE: of.certificate.certFile, KEY_FILE: of.certificate.keyFile },
      ...{ HTTP_ADDR: '127.0.0.1', HTTP_PORT: of.port, ROOT_URL: `https://127.0.0.1:${of.port}/` },
      ...{ STATIC_ROOT_PATH: of.static, OFFLINE_MODE: true, LFS_START_SERVER: false, GRACEFUL_HAMMER_TIME: '10s' },
      ...{ START_SSH_SERVER: true, BUILTIN_SSH_SERVER_USER: 'git', SSH_DOMAIN: '127.0.0.1' },
      ...{ SSH_LISTEN_HOST: '127.0.0.1', SSH_LISTEN_PORT: of.sshPort, SSH_PORT: of.sshPort },
      ...{ SSH_SERVER_HOST_KEYS: of.hostKey.file },
    },
    database: {
      ...{ DB_TYPE: 'postgres', HOST: `127.0.0.1:${of.database.port}`, NAME: DATABASE, USER: DATABASE },
      ...{ PASSWD: of.database.password, SSL_MODE: 'disable', MAX_OPEN_CONNS: 20 },
    },
    repository: { ROOT: join(folder, 'repositories'), DEFAULT_BRANCH: 'main' },
    'repository.signing': {
      ...{ SIGNING_KEY: join(folder, 'signing_key.pub'), SIGNING_FORMAT: 'ssh' },
      ...{ SIGNING_NAME: 'forge', SIGNING_EMAIL: 'forge@example.org' },
      ...{ INITIAL_COMMIT: 'pubkey', CRUD_ACTIONS: 'pubkey', MERGES: 'pubkey' },
      TRUSTED_SSH_KEYS: of.trusted.length === 0 ? undefined : of.trusted.join(', '),
    },
    security: {
      ...{ INSTALL_LOCK: true, SECRET_KEY: randomBytes(32).toString('hex') },
      ...{ PASSWORD_HASH_ALGO: 'pbkdf2$1000$50' },
    },
    oauth2: { ENABLED: false },
    webhook: { ALLOWED_HOST_LIST: 'loopback' },
    service: { DISABLE_REGISTRATION: true },
    session: { PROVIDER: 'memory' },
    indexer: { ISSUE_INDEXER_TYPE: 'db' },
    actions: { ENABLED: false },
    packages: { ENABLED: false },
    cron: { ENABLED: false },
    log: { MODE: 'console', LEVEL: 'warn' },
  };
  const lines = (of: Record<string, unknown>) =>
    Object.entries(of).flatMap(([name, value]) => (value === undefined ? [] : [`${name} = ${value}`]));
  const top = {
    ...{ RUN_USER: userInfo().username, WORK_PATH: folder },
    // Tests run as root in CI; nobody but this machine reaches it.
    ...{ I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: userInfo().uid === 0 },
  };
  const blocks = Object.entries(sections).flatMap(([name, content]) => [`[${name}]`, ...lines(content)]);
  return `${[...lines(top), ...blocks].join('\n')}\n`;
}
