/** A commit that changes one manifest, in repositories of growing size; a cold start; memory. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GitHttpServer } from '../servers/git-http.ts';
import { type Cost, medianCost } from './measure.ts';
import { costCells, duration, ratio, type Section, type Target, table } from './page.ts';
import { RunningOperator } from './running-operator.ts';
import { entryNames, plaintextManifest, secretValue, type Workplace } from './workplace.ts';

const SIZES = [10, 1000, 10_000];
const PER_FOLDER = 100;
const ENTRIES = 3;
const PUSHES = 11;
const WITHIN = 2;

interface Start {
  /** From the start of the process until every file is there, the clone included. */
  cost: Cost;
  memory: { now: number; peak: number };
}

interface Measured {
  size: number;
  fetch: Cost;
  project: Cost;
  cold: Start;
  /** A restart over the state that is there: the last good state comes back. */
  warm: Start;
  afterPushes: { now: number; peak: number };
}

export async function measureOperator(workplace: Workplace): Promise<Section> {
  const measured: Measured[] = [];
  for (const size of SIZES) measured.push(await measureSize(workplace, size));
  return {
    title: 'Operator',
    body: [
      `One operator over a repository behind \`git http-backend\`, manifests of ${ENTRIES} values in folders of ${PER_FOLDER}, one workload
that reads all of them. Medians of ${PUSHES} pushes; each changes one value with \`coffer set\`. The fetch ends when the commit is
accepted; to project is from there until the file is there and its outcome is on record.`,
      table(
        ['manifests', 'fetch: CPU', 'wall', 'project: CPU', 'wall', 'memory after the pushes'],
        measured.map(({ size, fetch, project, afterPushes }) => [
          size.toLocaleString('en'),
          ...costCells(fetch),
          ...costCells(project),
          mebibytes(afterPushes.now),
        ]),
      ),
      'From the start of the process until every file is there: cold, with nothing but its keys (the clone included), and again over the state that it left.',
      table(
        ['manifests', 'cold: CPU', 'wall', 'memory', 'at most', 'restart: CPU', 'wall', 'memory', 'at most'],
        measured.map(({ size, cold, warm }) => [
          size.toLocaleString('en'),
          ...[cold, warm].flatMap(({ cost, memory }) => [
            ...costCells(cost),
            mebibytes(memory.now),
            mebibytes(memory.peak),
          ]),
        ]),
      ),
    ],
    targets: targetsOf(measured),
  };
}

function targetsOf(measured: Measured[]): Target[] {
  const [small, large] = [measured[0], measured.at(-1)];
  if (small === undefined || large === undefined) return [];
  return (['wall', 'cpu'] as const).map((kind) => ({
    what: `one changed manifest among ${large.size.toLocaleString('en')}: ${kind === 'cpu' ? 'CPU' : 'time'} within ${WITHIN} times that among ${small.size}, the fetch apart`,
    measured: `${duration(large.project[kind])} to ${duration(small.project[kind])}, ${ratio(large.project[kind], small.project[kind])}`,
    met: large.project[kind] <= WITHIN * small.project[kind],
  }));
}

async function measureSize(workplace: Workplace, size: number): Promise<Measured> {
  const host = await Host.open(workplace, size);
  try {
    const { operator, start: cold } = await host.start(({ msg }) => msg === 'projected a commit');
    const pushes: { fetch: Cost; project: Cost }[] = [];
    for (let push = 0; push <= PUSHES; push++) {
      const costs = await host.push(operator, push);
      // The first is not counted: it finds code that has never run.
      if (push > 0) pushes.push(costs);
    }
    const afterPushes = operator.memory();
    await operator.end();
    const { operator: again, start: warm } = await host.start(({ msg }) => msg === 'brought back the last good state');
    await again.end();
    const [fetch, project] = (['fetch', 'project'] as const).map((part) =>
      medianCost(pushes.map((costs) => costs[part])),
    );
    if (fetch === undefined || project === undefined) throw new Error('no push was measured');
    return { size, fetch, project, cold, warm, afterPushes };
  } finally {
    await host.close();
  }
}

/** A repository of so many manifests, its server, and an operator's configuration for it. */
class Host {
  readonly #workplace: Workplace;
  readonly #folder: string;
  readonly #repository: string;
  readonly #size: number;
  readonly #server: GitHttpServer;
  readonly #projection: string;

  private constructor(workplace: Workplace, size: number, folder: string, server: GitHttpServer) {
    this.#workplace = workplace;
    this.#size = size;
    this.#folder = folder;
    this.#server = server;
    this.#repository = join(folder, 'repository');
    // The operator projects to memory; a machine without this folder has to make do with its disk.
    this.#projection = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'coffer-bench-'));
  }

  static async open(workplace: Workplace, size: number): Promise<Host> {
    const folder = join(workplace.folder, `operator-${size}`);
    mkdirSync(folder);
    const host = new Host(workplace, size, folder, await GitHttpServer.start({ root: folder }));
    host.#fill();
    host.#configure();
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
    const index = (round * 7) % this.#size;
    const value = join(this.#folder, 'value');
    writeFileSync(value, `pushed ${round}`);
    const file = join(this.#repository, manifestPath(index));
    const { env, program, args } = this.#workplace.coffer(['set', file, 'ENTRY_0', '--from-file', value]);
    this.#workplace.run({ program, args, env, cwd: this.#repository });
    this.#git('commit', '-qam', `Change manifest ${index}`);
    const commit = this.#git('rev-parse', 'HEAD').trim();

    const before = { wall: performance.now(), cpu: operator.cpu() };
    await operator.wake();
    const accepted = await operator.moment(({ msg, line }) => msg === 'accepted a commit' && line.commit === commit);
    const projected = await operator.moment(({ msg, line }) => msg === 'projected a commit' && line.commit === commit);
    if (readFileSync(this.#projected(index), 'utf8') !== `pushed ${round}`) throw new Error('the file is not there');
    return { fetch: difference(before, accepted), project: difference(accepted, projected) };
  }

  async close(): Promise<void> {
    await this.#server.close();
    for (const path of [this.#folder, this.#projection]) rmSync(path, { recursive: true, force: true });
  }

  #projected(index: number): string {
    return join(this.#projection, 'run', 'bench', 'app', manifestName(index), 'ENTRY_0');
  }

  #fill(): void {
    cpSync(this.#workplace.repository, this.#repository, {
      recursive: true,
      filter: (path) => !/\/repository\/(?!\.coffer|\.git)[^/]+$/.test(path),
    });
    const files = [...Array(this.#size).keys()].map((index) => join(this.#repository, manifestPath(index)));
    for (const [index, file] of files.entries()) {
      if (index % PER_FOLDER === 0) mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, plaintextManifest(manifestName(index), ENTRIES));
    }
    const { env, program, args } = this.#workplace.coffer(['encrypt', ...files]);
    this.#workplace.run({ program, args, env, cwd: this.#repository });
    this.#git('add', '-A');
    this.#git(
      'commit',
      '-qm',
      `Add ${this.#size} manifests of ${entryNames(ENTRIES).length} values, ${secretValue(0).length} bytes each`,
    );
  }

  #configure(): void {
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
      sources: [{ git: { url: `${this.#server.url}/repository/.git`, allowHttp: true, interval: '1h' } }],
      projections: [
        { directory: { path: join(this.#projection, 'run'), heal: '1h', workloads: [{ name: 'bench/app' }] } },
      ],
      audit: { directory: join(this.#folder, 'audit') },
      serve: { listen: '127.0.0.1:0' },
    };
    writeFileSync(join(this.#folder, 'operator.yaml'), JSON.stringify(config, null, 2));
  }

  #git(...args: string[]): string {
    const { program, args: all, env } = this.#workplace.program('git', args);
    return this.#workplace.run({ program, args: all, env, cwd: this.#repository });
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

function mebibytes(value: number): string {
  return `${value.toFixed(0)} MiB`;
}
