import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { AuditLine } from '../../core/audit/record.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { isSystemError } from '../../core/files/system-error.ts';
import { storeIdentity, storeSecretKey } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { auditLines } from '../support/audit-lines.ts';
import {
  recipientFiles,
  sealedManifest,
  type TestRecipient,
  testCluster,
  type WantedManifest,
} from '../support/secrets.ts';
import { isRoot, onDisk, onTmpfs } from './tmpfs.ts';

const MAIN = join(import.meta.dirname, '../../operator/main.ts');
/** Milliseconds. A limit for what hangs, not for what is slow: ten times what anything here takes on a busy machine. */
const PATIENCE = 240_000;

/** The users of the workloads: others' when the test may give files away. */
export const USERS = isRoot ? { api: 12345, worker: 12399 } : { api: own(), worker: own() };

export interface SiteOptions {
  /** Where to project; absent: a folder on tmpfs. */
  projection?: string;
  audit?: string;
  /** Of the source: its url and more. */
  git?: Record<string, unknown>;
  onChange?: object;
  /** Of the operator. */
  user?: number;
  interval?: string;
  heal?: string;
  cluster?: string;
}

/** A host with a repository, a cluster's keys, an operator's configuration, and the real operator as a process. */
export class Site {
  readonly root: string;
  readonly projection: string;
  readonly tree: WorkTree;
  readonly production: TestRecipient;
  readonly staging: TestRecipient;
  readonly #t: TestContext;
  readonly #options: SiteOptions;

  private constructor(
    t: TestContext,
    options: SiteOptions,
    parts: Pick<Site, 'root' | 'tree' | 'production' | 'staging'>,
  ) {
    this.#t = t;
    this.#options = options;
    this.root = parts.root;
    this.tree = parts.tree;
    this.production = parts.production;
    this.staging = parts.staging;
    this.projection = options.projection ?? join(onTmpfs(t), 'run');
  }

  static async open(t: TestContext, options: SiteOptions = {}): Promise<Site> {
    await sodiumReady();
    const root = onDisk(t);
    const [production, staging] = [testCluster('production'), testCluster('staging')];
    const tree = await WorkTree.init(join(root, 'repository'));
    const site = new Site(t, options, { root, tree, production, staging });
    const own = options.cluster === 'staging' ? staging : production;
    await storeSecretKey(join(root, 'keys'), own.seed);
    await storeIdentity(join(root, 'keys'), own.recipient.name, own.identitySeed);
    fs.writeFileSync(join(root, 'pins'), `${own.recipient.name} ${identityText(own.recipient.identity)}\n`);
    fs.mkdirSync(join(root, 'tmp'));
    site.configure();
    await tree.commit(recipientFiles(production, staging), 'Add recipients');
    return site;
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Writes the operator's configuration, with changes. JSON is YAML. */
  configure(changes: Record<string, unknown> = {}): void {
    const { git, audit, onChange, user, interval = '1h', heal = '1h', cluster = 'production' } = this.#options;
    const workload = (name: string, uid: number) => ({
      name,
      ...(user === undefined ? { uid, gid: uid } : {}),
      ...(onChange === undefined ? {} : { onChange }),
    });
    const workloads = [
      workload('payments/api', USERS.api),
      workload('payments/worker', USERS.worker),
      workload('billing/api', USERS.api),
    ];
    const config = {
      apiVersion: 'coffer.dev/v1',
      kind: 'OperatorConfig',
      cluster,
      state: { directory: 'state' },
      pins: { file: 'pins' },
      keys: { directory: 'keys' },
      sources: [{ git: { url: 'repository', interval, ...git } }],
      projections: [{ directory: { path: this.projection, heal, workloads } }],
      audit: { directory: audit ?? 'audit' },
      serve: { listen: '127.0.0.1:0' },
      ...changes,
    };
    fs.writeFileSync(this.path('operator.yaml'), JSON.stringify(config, null, 2));
  }

  manifest(
    wanted: Omit<WantedManifest, 'to' | 'namespace'> & { namespace?: string; to?: WantedManifest['to'] },
  ): string {
    return sealedManifest({ to: [this.production], namespace: 'payments', ...wanted });
  }

  /** What is at WORKLOAD/NAME/ENTRY; undefined: nothing. */
  read(...parts: string[]): string | undefined {
    const file = join(this.projection, ...parts);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
  }

  audit(): AuditLine[] {
    return auditLines(resolve(this.root, this.#options.audit ?? 'audit'));
  }

  /** Starts the operator; it is listening when this resolves. */
  async start(): Promise<OperatorProcess> {
    const operator = this.spawn();
    await operator.line(({ msg }) => msg === 'listening');
    return operator;
  }

  /** Starts the operator, with arguments beside --config, and waits for nothing. */
  spawn(...args: string[]): OperatorProcess {
    const { user } = this.#options;
    const command = [process.execPath, MAIN, '--config', this.path('operator.yaml'), ...args];
    const credentials = user === undefined ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
    const [program = '', ...rest] = [...credentials, ...command];
    const environment = { PATH: process.env.PATH, HOME: this.path('tmp'), TMPDIR: this.path('tmp') };
    const operator = new OperatorProcess(spawn(program, rest, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.#t.after(() => operator.kill());
    return operator;
  }

  /** Commits and waits until the operator has done its work. */
  async push(operator: OperatorProcess, files: Record<string, string | null>): Promise<string> {
    const commit = await this.tree.commit(files);
    await operator.wake();
    await operator.line((line) => line.msg === 'projected a commit' && line.commit === commit);
    return commit;
  }

  /** Everything that the operator left on disk, as bytes; of one that runs, how it stood at some moment. */
  files(): { path: string; bytes: Buffer }[] {
    try {
      return ['state', this.#options.audit ?? 'audit', 'tmp', 'keys']
        .map((directory) => resolve(this.root, directory))
        .filter((top) => fs.existsSync(top))
        .flatMap((top) => fs.readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)))
        .filter((path) => fs.lstatSync(path).isFile())
        .map((path) => ({ path, bytes: fs.readFileSync(path) }));
    } catch (error) {
      // It went meanwhile.
      if (isSystemError(error, 'ENOENT')) return this.files();
      throw error;
    }
  }

  /** Gives everything to the operator's user, when all that git has to do is done. */
  giveTo(user: number): void {
    fs.chmodSync(this.root, 0o755);
    for (const name of ['.', ...fs.readdirSync(this.root, { recursive: true, encoding: 'utf8' })]) {
      fs.lchownSync(join(this.root, name), user, user);
    }
    const parent = join(this.projection, '..');
    fs.chownSync(parent, user, user);
  }
}

export interface LogLine {
  msg: string;
  level: string;
  code?: string;
  commit?: string;
  address?: string;
  [field: string]: unknown;
}

export class OperatorProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** All that it wrote, standard error too. */
  output = '';
  #address = '';
  readonly #listeners = new Set<() => void>();
  readonly #exit: Promise<number | null>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#exit = once(child, 'close').then(([code]) => code);
    child.stderr?.on('data', (data) => {
      this.output += data;
    });
    if (child.stdout === null) throw new Error('no standard output');
    createInterface(child.stdout).on('line', (text) => this.#take(text));
  }

  /** The first line, of those that are there or come, that answers. */
  async line(answers: (line: LogLine) => boolean): Promise<LogLine> {
    const found = await within(
      new Promise<LogLine | undefined>((resolve) => {
        const look = () => {
          const line = this.lines.find(answers);
          if (line !== undefined) resolve(line);
        };
        this.#listeners.add(look);
        void this.#exit.then(() => resolve(undefined));
        look();
      }),
      () => `it wrote:\n${this.output}`,
    );
    if (found === undefined) throw new Error(`the line did not come; it wrote:\n${this.output}`);
    return found;
  }

  async get(path: string): Promise<string> {
    const response = await this.#ask('GET', path);
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += piece;
    return `${response.statusCode} ${text}`;
  }

  // biome-ignore lint/suspicious/noExplicitAny: as parsed; the tests assert what it holds
  async status(): Promise<any> {
    return JSON.parse((await this.get('/status')).slice(4));
  }

  /** As a webhook does. Node's own fetch says that it is no browser's navigation; curl and git servers say nothing. */
  async wake(): Promise<void> {
    const response = await this.#ask('POST', '/wake');
    response.resume();
    if (response.statusCode !== 202) throw new Error(`POST /wake: ${response.statusCode}`);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return await this.exit();
  }

  exit(): Promise<number | null> {
    return within(this.#exit);
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** On a connection of its own: one that was kept may be closed just then. */
  async #ask(method: string, path: string): Promise<IncomingMessage> {
    const asked = request(new URL(path, this.#address), { method, agent: false });
    // A connection may also break when its answer has come.
    asked.on('error', () => undefined);
    asked.end();
    const [response] = (await within(once(asked, 'response'))) as [IncomingMessage];
    return response;
  }

  #take(text: string): void {
    this.output += `${text}\n`;
    if (!text.startsWith('{')) return;
    const line: LogLine = JSON.parse(text);
    this.lines.push(line);
    if (line.msg === 'listening') this.#address = line.address ?? '';
    for (const look of this.#listeners) look();
  }
}

/** Looks until it holds, or throws what it said last. */
export async function eventually(look: () => void | Promise<void>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await setTimeout(10);
    }
  }
}

async function within<Result>(promise: Promise<Result>, explain = () => ''): Promise<Result> {
  const patience = new AbortController();
  const late = setTimeout(PATIENCE, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`too late; ${explain()}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    patience.abort();
  }
}

function own(): number {
  return process.geteuid?.() ?? 0;
}
