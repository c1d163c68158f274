import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRepository, type Repository } from '../../core/git/repository.ts';
import { type JudgeInput, judge } from '../../core/trust/judge.ts';
import { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import type { Verdict } from '../../core/trust/verdict.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { policyOf, SIGNED_BY } from './policy.ts';

/** A commit that is made, or is going to be. */
export interface Node {
  parents: readonly Node[];
  /** Who signs; absent: nobody. */
  by?: string;
  /** All of its files: content, or a symlink's target. */
  files: ReadonlyMap<string, string | { link: string }>;
  oid: string;
  /** In its message. */
  serial: number;
}

type Content = string | { link: string } | null;

/** A history that the real git writes, at once (fast-import): hundreds of commits in the time of one `git commit`. */
export class History {
  readonly directory: string;
  #pending: Node[] = [];
  #serial = 0;
  #repository: Repository | undefined;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<History> {
    const directory = await mkdtemp(join(tmpdir(), 'coffer-trust-'));
    await WorkTree.init(directory);
    return new History(directory);
  }

  async remove(): Promise<void> {
    this.#repository?.close();
    await rm(this.directory, { recursive: true });
  }

  /** Changes files (null: removes them) of the first parent. No two commits are the same. */
  commit(parents: readonly Node[], by: string | undefined, changes: Record<string, Content> = {}): Node {
    const files = new Map(parents[0]?.files);
    for (const [path, content] of Object.entries(changes)) {
      if (content === null) files.delete(path);
      else files.set(path, content);
    }
    const node: Node = { parents, files, oid: '', serial: ++this.#serial, ...(by === undefined ? {} : { by }) };
    this.#pending.push(node);
    return node;
  }

  /** Several of one parent, each upon the other; the last. */
  chain(parent: Node, ...steps: [by: string | undefined, changes: Record<string, Content>][]): Node {
    return steps.reduce((last, [by, changes]) => this.commit([last], by, changes), parent);
  }

  /** Gives every commit its id. */
  async write(): Promise<void> {
    if (this.#pending.length === 0) return;
    const marks = join(this.directory, 'marks');
    const child = spawn('git', ['-C', this.directory, 'fast-import', '--quiet', '--force', `--export-marks=${marks}`], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    const numbers = new Map(this.#pending.map((node, index) => [node, index + 1]));
    const name = (node: Node) => (numbers.has(node) ? `:${numbers.get(node)}` : node.oid);
    child.stdin.end(this.#pending.map((node) => commitCommand(node, name)).join(''));
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error('git fast-import failed');
    for (const line of (await readFile(marks, 'utf8')).trim().split('\n')) {
      const [mark = '', oid = ''] = line.slice(1).split(' ');
      const node = this.#pending[Number(mark) - 1];
      if (node !== undefined) node.oid = oid;
    }
    this.#pending = [];
    this.#repository?.objects.refresh();
  }

  async repository(): Promise<Repository> {
    await this.write();
    this.#repository ??= await openRepository(this.directory);
    return this.#repository;
  }

  /** In mode strict, with the policy of policy.ts, unless the input says otherwise. */
  async judge(
    accepted: Node | undefined,
    head: Node,
    input: Partial<Omit<JudgeInput, 'accepted' | 'head'>> = {},
  ): Promise<Verdict> {
    const repository = await this.repository();
    return judge({
      repository,
      mode: 'strict',
      policy: policyOf(),
      path: '',
      outstanding: [],
      sealedBefore: SealedBefore.inMemory(),
      now: new Date('2026-11-21T09:00:00Z'),
      ...input,
      head: head.oid,
      ...(accepted === undefined ? {} : { accepted: accepted.oid }),
    });
  }
}

function commitCommand(node: Node, name: (node: Node) => string): string {
  const { parents, by, files, serial } = node;
  const who = `${by ?? 'mallory'} <${by ?? 'mallory'}@example.org> 1700000000 +0000`;
  const [first, ...others] = parents.map(name);
  return [
    // Without a reset the first commit of a stream would go on from what the branch had.
    'reset refs/heads/work\n\n',
    `commit refs/heads/work\nmark ${name(node)}\nauthor ${who}\ncommitter ${who}\n`,
    data(`Change ${serial}\n${by === undefined ? '' : `\n${SIGNED_BY}${by}\n`}`),
    first === undefined ? '' : `from ${first}\n`,
    ...others.map((other) => `merge ${other}\n`),
    'deleteall\n',
    ...[...files].map(([path, content]) => fileCommand(path, content)),
    '\n',
  ].join('');
}

function fileCommand(path: string, content: string | { link: string }): string {
  const [mode, text] = typeof content === 'string' ? ['100644', content] : ['120000', content.link];
  return `M ${mode} inline ${JSON.stringify(path)}\n${data(text)}`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
