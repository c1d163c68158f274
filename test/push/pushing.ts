/** A team's bare repository behind real servers, and an operator's source that follows it and pushes to it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ed25519PublicKey } from '../../core/crypto/ed25519.ts';
import { systemRandom } from '../../core/crypto/random.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { createKey } from '../../core/keys/create.ts';
import { withNewKey } from '../../core/keys/new-key.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import type { Proposal } from '../../core/rotation/proposal.ts';
import { ed25519Blob } from '../../core/signatures/ssh/sign-message.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { openPusher, type Pusher, type PusherOptions } from '../../operator/push/pusher.ts';
import { type GitSourceConfig, openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import { atTheEnd } from '../operator/tmpfs.ts';
import { GitHttpServer } from '../servers/git-http.ts';
import { generateKey, Sshd } from '../servers/sshd.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { recipientFiles, type TestRecipient, testCluster } from '../support/secrets.ts';

export type Way = 'path' | 'http' | 'ssh';
export const never = new AbortController().signal;
export const CLUSTER = 'production';

export class Pushing {
  readonly root: string;
  /** A person's clone. */
  readonly tree: WorkTree;
  readonly keys: DirectoryKeyStore;
  readonly #t: TestContext;
  readonly #production: TestRecipient;
  readonly #staging: TestRecipient;
  #made = 0;

  private constructor(
    t: TestContext,
    parts: { root: string; tree: WorkTree; production: TestRecipient; staging: TestRecipient },
  ) {
    this.#t = t;
    this.root = parts.root;
    this.tree = parts.tree;
    this.#production = parts.production;
    this.#staging = parts.staging;
    this.keys = new DirectoryKeyStore(join(parts.root, 'keys'), CLUSTER);
  }

  /** With one commit in the branch `main`. */
  static async open(t: TestContext): Promise<Pushing> {
    await sodiumReady();
    const root = await mkdtemp(join(tmpdir(), 'coffer-push-'));
    atTheEnd(t, () => rm(root, { recursive: true, force: true }));
    const tree = await WorkTree.init(join(root, 'person'));
    await tree.git('init', '-q', '--bare', '-b', 'main', join(root, 'team.git'));
    await tree.git('remote', 'add', 'origin', join(root, 'team.git'));
    const production = testCluster(CLUSTER);
    const seed = Buffer.from(production.identitySeed);
    const pushing = new Pushing(t, { root, tree, production, staging: testCluster('staging') });
    await mkdir(join(root, 'keys'), { mode: 0o700 });
    await pushing.keys.storeIdentity(seed);
    await pushing.push(recipientFiles(pushing.#production, pushing.#staging));
    return pushing;
  }

  get bare(): string {
    return join(this.root, 'team.git');
  }

  stateOf(cluster = CLUSTER): string {
    return join(this.root, 'state', cluster);
  }

  /** A person's commit, upon what is there. */
  async push(files: Record<string, string | null>, branch = 'main'): Promise<string> {
    const isThere = (await this.inBare('for-each-ref', `refs/heads/${branch}`)) !== '';
    if (isThere) {
      await this.tree.git('fetch', '-q', 'origin');
      await this.tree.git('reset', '-q', '--hard', `origin/${branch}`);
    }
    const commit = await this.tree.commit(files);
    await this.tree.git('push', '-q', 'origin', `HEAD:refs/heads/${branch}`);
    return commit;
  }

  inBare(...args: string[]): Promise<string> {
    return this.tree.git('--git-dir', this.bare, ...args);
  }

  head(branch = 'main'): Promise<string> {
    return this.inBare('rev-parse', `refs/heads/${branch}`);
  }

  file(path: string, branch = 'main'): Promise<string> {
    return this.inBare('show', `refs/heads/${branch}:${path}`);
  }

  /** A program that git runs before it takes a push. */
  async hook(name: 'pre-receive' | 'update', script: string): Promise<void> {
    await writeFile(join(this.bare, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  async configOf(way: Way): Promise<GitSourceConfig> {
    if (way === 'path') return { url: this.bare };
    if (way === 'http') {
      const server = await GitHttpServer.start({ root: this.root });
      this.#t.after(() => server.close());
      return { url: `${server.url}/team.git`, allowHttp: true };
    }
    const { sshd: _, ...git } = await this.ssh();
    return git;
  }

  async ssh(): Promise<GitSourceConfig & { sshd: Sshd }> {
    const sshd = await Sshd.start();
    this.#t.after(() => sshd.close());
    const key = await generateKey(join(this.root, 'id'), 'ed25519');
    await sshd.authorize(key);
    const knownHostsFile = join(this.root, 'known_hosts');
    await writeFile(knownHostsFile, await sshd.knownHosts());
    return { sshd, url: sshd.url(this.bare), sshKeyFile: key.file, knownHostsFile };
  }

  /** `of`: whose state directory it works in. */
  async source(git: GitSourceConfig, of = CLUSTER): Promise<Source> {
    const source = await openGitSource(git, this.stateOf(of));
    this.#t.after(() => source.close());
    return source;
  }

  pusher(git: GitSourceConfig, source: Source, over: Partial<PusherOptions> = {}): Pusher {
    const pusher = openPusher({
      ...{ git: { push: {}, ...git }, source, cluster: CLUSTER, keys: this.keys, stateDirectory: this.stateOf() },
      ...{ now: () => new Date(), log: { info: () => undefined }, ...over },
    });
    this.#t.after(() => pusher.close());
    return pusher;
  }

  /** A line of allowed_signers(5) for the operator's identity. */
  async allowedSigners(): Promise<string> {
    const file = join(this.root, 'allowed_signers');
    await writeFile(
      file,
      `coffer@${CLUSTER} namespaces="git" ssh-ed25519 ${ed25519Blob(ed25519PublicKey(this.#production.identitySeed)).toString('base64')}\n`,
    );
    return file;
  }

  /** That a recipient has a new key, each time another. */
  proposal(of: 'production' | 'staging' = CLUSTER): Proposal {
    const { recipient, identitySeed } = of === CLUSTER ? this.#production : this.#staging;
    const created = `2026-11-21T10:00:${String(++this.#made).padStart(2, '0')}Z`;
    const { key } = createKey({ name: of, created, identitySeed, random: systemRandom });
    const text = renderRecipient(withNewKey(recipient, key, { formerStatus: 'retired' }));
    return {
      ...{
        id: `rewrap-${of}`,
        cluster: CLUSTER,
        commit: '0'.repeat(40),
        recipient: { name: of, text },
        values: [],
        fulfils: [],
      },
      ...{ stanzas: new Map(), refused: new Map() },
    };
  }
}
