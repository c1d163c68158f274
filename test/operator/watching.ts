/** A team's repository, a server for it, and sources that watch it, in a folder that goes away with the test. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { CofferError } from '../../core/errors.ts';
import { type GitSourceConfig, openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import { type GitHttpOptions, GitHttpServer } from '../servers/git-http.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { atTheEnd } from './tmpfs.ts';

const run = promisify(execFile);
export const never = new AbortController().signal;

export class Watching {
  readonly root: string;
  readonly tree: WorkTree;
  readonly #t: TestContext;

  private constructor(t: TestContext, root: string, tree: WorkTree) {
    this.#t = t;
    this.root = root;
    this.tree = tree;
  }

  static async open(t: TestContext): Promise<Watching> {
    const root = await mkdtemp(join(tmpdir(), 'coffer-source-'));
    atTheEnd(t, () => rm(root, { recursive: true, force: true }));
    return new Watching(t, root, await WorkTree.init(join(root, 'team')));
  }

  get state(): string {
    return join(this.root, 'state');
  }

  async serve(options: Omit<GitHttpOptions, 'root'> = {}): Promise<{ url: string; server: GitHttpServer }> {
    const server = await GitHttpServer.start({ root: this.root, ...options });
    this.#t.after(() => server.close());
    return { url: `${server.url}/team/.git`, server };
  }

  async source(config: GitSourceConfig): Promise<Source> {
    const source = await openGitSource(config, this.state);
    this.#t.after(() => source.close());
    return source;
  }

  /** The clone as the real git sees it. */
  async gitInClone({ id }: Source, ...args: string[]): Promise<string> {
    const directory = join(this.state, 'sources', id);
    return (await run('git', ['-c', 'safe.directory=*', '--git-dir', directory, ...args])).stdout.trimEnd();
  }

  async file(name: string, content: string): Promise<string> {
    await writeFile(join(this.root, name), content);
    return join(this.root, name);
  }
}

export async function commitOf(source: Source): Promise<string> {
  const state = await source.poll(never);
  if (state !== 'unchanged') await source.told(state);
  return state === 'unchanged' ? state : state.commit;
}

/** For assert.rejects. */
export function code(expected: string) {
  return (error: unknown): boolean => error instanceof CofferError && error.code === expected && error.advice !== '';
}
