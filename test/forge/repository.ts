import { join } from 'node:path';
import { eventually } from '../operator/site.ts';
import type { Account, Answer, Gitea } from '../servers/gitea.ts';
import type { WorkTree } from '../servers/work-tree.ts';

/** What a person chooses on the page of a pull request. */
export type MergeStyle = 'merge' | 'squash' | 'rebase' | 'rebase-merge' | 'fast-forward-only';

/** A private repository on a forge, and the clone of its owner. */
export class ForgeRepository {
  readonly forge: Gitea;
  readonly owner: Account;
  readonly tree: WorkTree;
  /** `OWNER/NAME` */
  readonly path: string;

  private constructor(forge: Gitea, owner: Account, tree: WorkTree, path: string) {
    this.forge = forge;
    this.owner = owner;
    this.tree = tree;
    this.path = path;
  }

  /** Empty; `tree` becomes the clone. */
  static async create(forge: Gitea, owner: Account, name: string, tree: WorkTree): Promise<ForgeRepository> {
    await forge.do('POST', '/user/repos', { name, private: true, default_branch: 'main' }, owner);
    const repository = new ForgeRepository(forge, owner, tree, `${owner.name}/${name}`);
    await tree.git('config', 'http.sslCAInfo', forge.caFile);
    await tree.git('remote', 'add', 'forge', repository.url.replace('://', `://${owner.name}:${owner.token}@`));
    return repository;
  }

  /** For git over https, without credentials. */
  get url(): string {
    return `${this.forge.url}/${this.path}.git`;
  }

  get sshUrl(): string {
    return `${this.forge.sshUrl}/${this.path}.git`;
  }

  /** `path`: after the repository's. `as`: absent, its owner. */
  do(method: string, path: string, body?: object, as: Account = this.owner): Promise<Answer['body']> {
    return this.forge.do(method, join('/repos', this.path, path), body, as);
  }

  async push(...refs: readonly string[]): Promise<void> {
    await this.tree.git('push', '-q', 'forge', ...refs);
  }

  /** A commit on `main`, pushed. */
  async commit(files: Record<string, string | null>): Promise<string> {
    const commit = await this.tree.commit(files);
    await this.push('main');
    return commit;
  }

  /** A pull request. */
  open(head: string, base: string, as: Account = this.owner): Promise<{ number: number }> {
    return this.do('POST', '/pulls', { head, base, title: `Merge ${head}` }, as);
  }

  /** Presses the button. Resolves to the newest commit of the branch that it was merged into. */
  async merge(number: number, base: string, style: MergeStyle, as: Account = this.owner): Promise<string> {
    // The forge looks first, on its own time, whether it can be merged, and answers 405 until then.
    await eventually(async () => {
      const path = join('/repos', this.path, '/pulls', String(number), '/merge');
      const { status, body } = await this.forge.ask('POST', path, { Do: style }, as);
      if (status !== 200) throw new Error(`pull request ${number}: ${status} ${JSON.stringify(body)}`);
    });
    return this.head(base);
  }

  async head(branch: string): Promise<string> {
    const { commit } = await this.do('GET', `/branches/${branch}`);
    return commit.id;
  }
}
