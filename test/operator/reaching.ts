/** A team's repository behind real servers, over a relay that can break connections, and remotes that fetch from it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Clone } from '../../operator/source/clone/clone.ts';
import type { Quarantine } from '../../operator/source/clone/quarantine.ts';
import { parseAddress } from '../../operator/source/remote/address.ts';
import { openRemote, type RemoteConfig } from '../../operator/source/remote/open-remote.ts';
import type { Head, Remote } from '../../operator/source/remote/remote.ts';
import { GitHttpServer } from '../servers/git-http.ts';
import { generateKey, Sshd } from '../servers/sshd.ts';
import { TcpRelay } from '../servers/tcp-relay.ts';
import { WorkTree } from '../servers/work-tree.ts';

export type Way = 'http' | 'ssh';

/** The servers of a file of tests. */
export class Servers {
  readonly root: string;
  readonly relays: Record<Way, TcpRelay>;
  readonly #http: GitHttpServer;
  readonly #sshd: Sshd;

  static async start(): Promise<Servers> {
    const root = await mkdtemp(join(tmpdir(), 'coffer-reaching-'));
    const [http, sshd] = await Promise.all([GitHttpServer.start({ root }), Sshd.start()]);
    await sshd.authorize(await generateKey(join(root, 'id'), 'ed25519'));
    const relays = {
      http: await TcpRelay.start(Number(new URL(http.url).port)),
      ssh: await TcpRelay.start(sshd.port),
    };
    const known = (await sshd.knownHosts()).replace(/:\d+/, `:${relays.ssh.port}`);
    await writeFile(join(root, 'known_hosts'), known);
    return new Servers(root, relays, http, sshd);
  }

  private constructor(root: string, relays: Record<Way, TcpRelay>, http: GitHttpServer, sshd: Sshd) {
    this.root = root;
    this.relays = relays;
    this.#http = http;
    this.#sshd = sshd;
  }

  /** A new repository with its work tree. */
  async tree(): Promise<WorkTree> {
    return WorkTree.init(join(this.root, randomBytes(6).toString('hex')));
  }

  configOf(way: Way, { directory }: WorkTree, over: Partial<RemoteConfig> = {}): RemoteConfig {
    const { port } = this.relays[way];
    const files = { sshKeyFile: join(this.root, 'id'), knownHostsFile: join(this.root, 'known_hosts') };
    return way === 'ssh'
      ? { url: `ssh://${this.#sshd.user}@127.0.0.1:${port}${directory}`, ...files, ...over }
      : { url: `http://127.0.0.1:${port}${directory.slice(this.root.length)}/.git`, allowHttp: true, ...over };
  }

  async close(): Promise<void> {
    await Promise.all([...Object.values(this.relays).map((relay) => relay.close()), this.#http.close()]);
    await this.#sshd.close();
    await rm(this.root, { recursive: true });
  }
}

/** What fetches into a clone of its own. */
export class Reaching {
  readonly remote: Remote;
  readonly clone: Clone;

  readonly #t: TestContext;
  readonly #config: RemoteConfig;

  static async open(t: TestContext, { root }: { root: string }, config: RemoteConfig): Promise<Reaching> {
    const clone = await Clone.open(join(root, `clone-${randomBytes(6).toString('hex')}`));
    t.after(() => clone.close());
    return new Reaching(t, config, clone);
  }

  private constructor(t: TestContext, config: RemoteConfig, clone: Clone, idle?: number) {
    const address = parseAddress(config.url, '.', true);
    const remote = openRemote(config, address, ['.coffer', ''], idle);
    this.#t = t;
    this.#config = config;
    this.remote = remote;
    this.clone = clone;
    t.after(() => remote.close());
  }

  /** The same with less patience, in milliseconds. */
  impatient(idle: number): Reaching {
    return new Reaching(this.#t, this.#config, this.clone, idle);
  }

  /** Looks, fetches and takes it in; returns what was seen. */
  async take(signal: AbortSignal, isWhole = false): Promise<Head> {
    const head = await this.remote.head(signal);
    await this.fetch(head, signal, isWhole);
    return head;
  }

  async fetch(head: Head, signal: AbortSignal, isWhole = false, look?: (into: Quarantine) => void): Promise<void> {
    const quarantine = await this.clone.quarantine();
    try {
      await this.remote.fetch(quarantine, head, { isWhole }, signal);
      look?.(quarantine);
      await this.clone.adopt(quarantine, head.commit);
    } finally {
      await quarantine.discard();
    }
  }
}
