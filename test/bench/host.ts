/** A repository of manifests behind a server, and an operator that projects them. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitHttpServer } from '../servers/git-http.ts';
import type { Cost } from './measure.ts';
import { RunningOperator } from './running-operator.ts';
import { importHistory } from './trust/history.ts';
import { entryNames, plaintextManifest, secretValue, type Workplace } from './workplace.ts';

export const PER_FOLDER = 100;
export const ENTRIES = 3;
const SIGNER = 'bench@example.org';

export interface Start {
  /** From the start of the process until every file is there, the clone included. */
  cost: Cost;
  memory: { now: number; peak: number };
}

export interface HostOptions {
  /** Manifests. */
  size: number;
  /** Commits that the repository has before it is measured, each of which changed one manifest. */
  history?: number;
  /** Whether commits are signed, and the operator takes no others. */
  isSigned?: boolean;
}

/** A repository of so many manifests, its server, and an operator's configuration for it. */
export class Host {
  readonly #workplace: Workplace;
  readonly #folder: string;
  readonly repository: string;
  readonly #size: number;
  readonly #isSigned: boolean;
  readonly #server: GitHttpServer;
  readonly #projection: string;

  private constructor(workplace: Workplace, options: HostOptions, folder: string, server: GitHttpServer) {
    this.#workplace = workplace;
    this.#size = options.size;
    this.#isSigned = options.isSigned ?? false;
    this.#folder = folder;
    this.#server = server;
    this.repository = join(folder, 'repository');
    // The operator projects to memory; a machine without this folder has to make do with its disk.
    this.#projection = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'coffer-bench-'));
  }

  static async open(workplace: Workplace, options: HostOptions): Promise<Host> {
    const folder = mkdtempSync(join(workplace.folder, 'host-'));
    const host = new Host(workplace, options, folder, await GitHttpServer.start({ root: folder }));
    host.#fill();
    if (options.history !== undefined) importHistory(host.repository, host.#files(), options.history);
    if (host.#isSigned) host.#sign();
    host.configure();
    return host;
  }

  /** Starts the operator and waits for a line of its log that says that every file is there. */
  async start(isDone: Parameters<RunningOperator['moment']>[0]): Promise<{ operator: RunningOperator; start: Start }> {
    const operator = new RunningOperator(this.#workplace.operator(['--config', join(this.#folder, 'operator.yaml')]));
    const { wall, cpu } = await operator.moment(isDone);
    const memory = operator.memory();
    for (let index = 0; index < this.#size; index++) {
      if (!existsSync(this.#projected(index))) throw new Error(`manifest ${index} was not projected`);
    }
    return { operator, start: { cost: { wall: wall - operator.began, cpu }, memory } };
  }

  /** Changes one value, commits, tells the operator, and waits until the file holds the value. */
  async push(operator: RunningOperator, round: number): Promise<{ fetch: Cost; project: Cost }> {
    const commit = this.change(round);
    const before = { wall: performance.now(), cpu: operator.cpu() };
    await operator.wake();
    const accepted = await operator.moment(({ msg, line }) => msg === 'accepted a commit' && line.commit === commit);
    const projected = await operator.moment(({ msg, line }) => msg === 'projected a commit' && line.commit === commit);
    if (readFileSync(this.#projected(this.#changedIn(round)), 'utf8') !== `pushed ${round}`)
      throw new Error('the file is not there');
    return { fetch: difference(before, accepted), project: difference(accepted, projected) };
  }

  /** Changes one value and commits; returns the commit. */
  change(round: number): string {
    const value = join(this.#folder, 'value');
    writeFileSync(value, `pushed ${round}`);
    const path = manifestPath(this.#changedIn(round));
    const { env, program, args } = this.#workplace.coffer([
      'set',
      join(this.repository, path),
      'ENTRY_0',
      '--from-file',
      value,
    ]);
    this.#workplace.run({ program, args, env, cwd: this.repository });
    this.git('commit', '-qam', `Change ${path}`);
    return this.git('rev-parse', 'HEAD').trim();
  }

  #changedIn(round: number): number {
    return (round * 7) % this.#size;
  }

  /** The directory of the operator's log. */
  get audit(): string {
    return join(this.#folder, 'audit');
  }

  /** Where the repository is served. */
  get url(): string {
    return `${this.#server.url}/repository/.git`;
  }

  /** What a source of it is to demand. */
  get trust(): { mode: 'strict'; policy: string; firstCommit: string } | { mode: 'off' } {
    if (!this.#isSigned) return { mode: 'off' };
    return {
      mode: 'strict',
      policy: join(this.#folder, 'policy.yaml'),
      firstCommit: this.git('rev-parse', 'HEAD').trim(),
    };
  }

  async close(): Promise<void> {
    await this.#server.close();
    for (const path of [this.#folder, this.#projection]) rmSync(path, { recursive: true, force: true });
  }

  #projected(index: number): string {
    return join(this.#projection, 'run', 'bench', 'app', manifestName(index), 'ENTRY_0');
  }

  #fill(): void {
    cpSync(this.#workplace.repository, this.repository, {
      recursive: true,
      filter: (path) => !/\/repository\/(?!\.coffer|\.git)[^/]+$/.test(path),
    });
    const files = this.#files().map((file) => join(this.repository, file));
    for (const [index, file] of files.entries()) {
      if (index % PER_FOLDER === 0) mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, plaintextManifest(manifestName(index), ENTRIES));
    }
    const { env, program, args } = this.#workplace.coffer(['encrypt', ...files]);
    this.#workplace.run({ program, args, env, cwd: this.repository });
    this.git('add', '-A');
    this.git(
      'commit',
      '-qm',
      `Add ${this.#size} manifests of ${entryNames(ENTRIES).length} values, ${secretValue(0).length} bytes each`,
    );
  }

  #files(): string[] {
    return [...Array(this.#size).keys()].map(manifestPath);
  }

  #sign(): void {
    const key = join(this.#folder, 'signer');
    this.#workplace.run(
      this.#workplace.program('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', SIGNER, '-f', key]),
    );
    const signers = join(this.#folder, 'allowed_signers');
    writeFileSync(signers, `${SIGNER} namespaces="git" ${readFileSync(`${key}.pub`, 'utf8')}`);
    const settings = {
      'gpg.format': 'ssh',
      'user.signingKey': key,
      'commit.gpgSign': 'true',
      'gpg.ssh.allowedSignersFile': signers,
    };
    for (const [name, value] of Object.entries(settings)) this.git('config', name, value);
    const policy = {
      apiVersion: 'coffer.dev/v1',
      kind: 'TrustPolicy',
      metadata: { name: 'bench' },
      spec: {
        signers: { ssh: { allowedSigners: 'allowed_signers' } },
        grants: [
          { signers: [SIGNER], paths: ['apps/'], may: ['values', 'stanzas'] },
          {
            signers: ['security@example.org'],
            may: ['keyring', 'rules', 'requests', 'readers', 'recipients', 'removal'],
          },
        ],
      },
    };
    writeFileSync(join(this.#folder, 'policy.yaml'), JSON.stringify(policy, null, 2));
  }

  /** Writes the operator's configuration; where commits are signed, trust begins at the newest. */
  configure(): void {
    const pins = this.#workplace.run(this.#workplace.coffer(['recipients', 'list', '--pins']));
    writeFileSync(join(this.#folder, 'pins'), pins);
    const config = {
      apiVersion: 'coffer.dev/v1',
      kind: 'OperatorConfig',
      cluster: 'production',
      state: { directory: join(this.#folder, 'state') },
      pins: { file: join(this.#folder, 'pins') },
      keys: { directory: this.#workplace.keyDirectory },
      // Only what is measured makes it work: no poll, no look for others' changes.
      sources: [{ git: { url: this.url, allowHttp: true, interval: '1h', timeout: '10m', trust: this.trust } }],
      projections: [
        { directory: { path: join(this.#projection, 'run'), heal: '1h', workloads: [{ name: 'bench/app' }] } },
      ],
      audit: { directory: this.audit },
      serve: { listen: '127.0.0.1:0' },
    };
    writeFileSync(join(this.#folder, 'operator.yaml'), JSON.stringify(config, null, 2));
  }

  git(...args: string[]): string {
    const { program, args: all, env } = this.#workplace.program('git', args);
    return this.#workplace.run({ program, args: all, env, cwd: this.repository });
  }
}

function difference(before: Cost, after: Cost): Cost {
  return { wall: after.wall - before.wall, cpu: after.cpu - before.cpu };
}

function manifestName(index: number): string {
  return `app-${index}`;
}

function manifestPath(index: number): string {
  return join('apps', String(Math.floor(index / PER_FOLDER)), `${manifestName(index)}.yaml`);
}
