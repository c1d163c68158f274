/** Somebody who trusts nobody: verifies the record with coffer, and with a program that shares no code with it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, tell } from '../demo/narrator.ts';
import type { Stage } from '../demo/stage.ts';
import type { Cluster } from './cast.ts';

const VERIFIER = join(import.meta.dirname, '..', '..', 'test', 'audit', 'verifier');

export type Shell = (line: string, options?: { cwd?: string; expect?: number; who?: string }) => Promise<string>;

export class Auditor {
  readonly #stage: Stage;
  readonly #shell: Shell;
  /** Whether the second verifier could be built. */
  readonly #hasSecond: boolean;
  /** By cluster: how many copies the auditor keeps. */
  readonly #copies = new Map<string, number>();

  private constructor(stage: Stage, shell: Shell, hasSecond: boolean) {
    this.#stage = stage;
    this.#shell = shell;
    this.#hasSecond = hasSecond;
  }

  /** Builds the second verifier, where go is. */
  static async open(stage: Stage, shell: Shell): Promise<Auditor> {
    await stage.run('mkdir auditor');
    const go = `GOCACHE=${stage.disk}/go-build GOFLAGS=-mod=mod go build -o ${stage.disk}/auditor/verifier .`;
    const { code, output } = await stage.run(go, { cwd: VERIFIER });
    if (code !== 0) tell(`(Left out: the second verifier, test/audit/verifier, which is written in Go. ${output})`);
    return new Auditor(stage, shell, code === 0);
  }

  /** Whether the record says this anywhere. */
  says({ folder }: Cluster, words: string): boolean {
    const journal = join(folder, 'audit', 'journal');
    return existsSync(journal) && readFileSync(journal, 'utf8').includes(words);
  }

  /** Until the newest checkpoint has all records: the log signs a little after it writes. */
  settled(cluster: Cluster): Promise<void> {
    return this.#stage.until('a checkpoint of all records', () => isCovered(cluster), 90_000);
  }

  /**
   * Takes a copy, and verifies with both programs that its checkpoint is signed by the cluster's identity, that all records are as
   * they were when it was signed, and that it continues what was taken before.
   */
  async agrees(cluster: Cluster): Promise<void> {
    const { name } = cluster;
    const copies = (this.#copies.get(name) ?? 0) + 1;
    this.#copies.set(name, copies);
    const earlier = copies === 1 ? '' : ` --checkpoint ${name}-${copies - 1}/checkpoint`;
    const copy = `${name}-${copies}`;
    await this.settled(cluster);
    const shell = (line: string) => this.#shell(line, { who: 'auditor', cwd: join(this.#stage.disk, 'auditor') });
    await shell(`cp -r ../${name}/audit ${copy}`);
    const ours = await shell(`coffer audit verify --log ${copy} --identity ${await this.#identity(cluster)}${earlier}`);
    if (this.#hasSecond) {
      const key = await this.#verifierKey(cluster);
      const theirs = await shell(`./verifier${earlier} '${key}' ${copy}`);
      const root = /^ok \d+ (\S+)/.exec(theirs)?.[1] ?? 'no root';
      if (!ours.includes(root)) throw new Error('the two verifiers found different trees');
    }
    done(
      `${this.#hasSecond ? 'two verifiers, one root' : 'verified'}${copies === 1 ? '' : '; it continues the copy before'}`,
    );
  }

  /** As the auditor compared it with the cluster's owner. */
  async #identity({ folder }: Pick<Cluster, 'folder'>): Promise<string> {
    return (await this.#stage.run(`cut -d' ' -f2 ${folder}/pins`)).output.trim();
  }

  /** The same, as Go's sumdb/note writes keys: NAME+HASH+BASE64. */
  async #verifierKey({ name, folder }: Pick<Cluster, 'name' | 'folder'>): Promise<string> {
    const text = (await this.#identity({ folder })).replace('coffer-identity-1-', '');
    const identity = Buffer.from(text, 'base64url').subarray(0, 32);
    const [origin = ''] = readFileSync(join(folder, 'audit', 'checkpoint'), 'utf8').split('\n');
    if (!origin.startsWith(`coffer.dev/audit/${name}/`)) throw new Error(`a log of another cluster: ${origin}`);
    const key = Buffer.concat([Buffer.of(1), identity]);
    const hash = createHash('sha256').update(`${origin}\n`).update(key).digest('hex').slice(0, 8);
    return `${origin}+${hash}+${key.toString('base64')}`;
  }

  /** All that is needed to verify the copied logs where there is no network, and no cluster. */
  async takesHome(clusters: readonly Cluster[], stolen: string): Promise<void> {
    const today = new Date().toISOString().slice(0, 10);
    const logs = clusters.map(({ name }) => `--log ../auditor/${name}-${this.#copies.get(name)}`).join(' ');
    await this.#shell(`coffer audit show --log ../production/audit --key ${stolen}`, { who: 'auditor' });
    await this.#shell(`coffer audit bundle ${logs} --from ${today} -o ../auditor/bundle`, { who: 'auditor' });
    await this.#shell('coffer audit verify --log ../auditor/bundle', { who: 'auditor' });
    await this.#shell('ls ../auditor/bundle', { who: 'auditor' });
  }
}

function isCovered({ folder }: Cluster): boolean {
  const [checkpoint, journal] = [join(folder, 'audit', 'checkpoint'), join(folder, 'audit', 'journal')];
  if (!existsSync(checkpoint) || !existsSync(journal)) return false;
  const [, size = ''] = readFileSync(checkpoint, 'utf8').split('\n');
  const last = readFileSync(journal, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  return last.includes(`"sequence":${size},`) || last.includes(`"sequence":${size}}`);
}
