/** The operator's side of mounts without a cluster: the real server and route, with tokens and secrets that a test makes up. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CofferError } from '../../../core/errors.ts';
import { Closing } from '../../../operator/process/closing.ts';
import { Denials } from '../../../operator/volumes/denials.ts';
import { MountRoute } from '../../../operator/volumes/mount.ts';
import { MOUNT_PATH } from '../../../operator/volumes/protocol.ts';
import type { Reader } from '../../../operator/volumes/reader.ts';
import { type Asked, startServer, type VolumesServer } from '../../../operator/volumes/server.ts';
import { renew } from '../../../operator/volumes/serving/renewal.ts';

const NAMES = ['operator.test'];

export const TOKEN = 'token-of-the-pod';

/** What NodePublishVolume brings for a pod that may read. */
export const TOKENS = new Map([
  [
    'csi.storage.k8s.io/serviceAccount.tokens',
    JSON.stringify({ 'csi.coffer.dev': { token: TOKEN, expirationTimestamp: '2100-01-01T00:00:00Z' } }),
  ],
]);

/** A secret's entries, or why it is refused. */
export type Content = { version: string; entries: Record<string, string> } | CofferError;

export class TestOperator {
  readonly directory: string;
  readonly #server: VolumesServer;
  readonly #closing: Closing;
  readonly contents = new Map<string, Content>();
  /** Versions that were opened, in order. */
  readonly opened: string[] = [];
  /** Awaited before each answer. */
  hold: Promise<void> = Promise.resolve();
  /** Called when a request came in. */
  asked: () => void = () => {};

  private constructor(directory: string, server: VolumesServer, closing: Closing) {
    this.#closing = closing;
    this.directory = directory;
    this.#server = server;
  }

  static async start(t: TestContext, listen = { host: '127.0.0.1', port: 0 }): Promise<TestOperator> {
    const directory = await mkdtemp(join(tmpdir(), 'coffer-csi-'));
    const closing = new Closing();
    t.after(() => closing.close());
    closing.add(directory, () => rm(directory, { recursive: true, force: true }));
    const { authorities, server: certificate } = await renew(undefined, NAMES, new Date());
    await writeFile(join(directory, 'ca.crt'), authorities.join(''));
    await writeFile(join(directory, 'serverName'), NAMES.join(''));
    const routes = new Map([[MOUNT_PATH, (asked: Asked) => operator.#answer(asked)]]);
    const server = await startServer({ listen, routes, refused: () => {}, failed: () => {} });
    const operator: TestOperator = new TestOperator(directory, server, closing);
    server.useCertificate(certificate);
    closing.add(operator, () => operator.stop());
    return operator;
  }

  get address(): string {
    return this.#server.address;
  }

  /** For the plugin's `--trust`. */
  get trustDirectory(): string {
    return this.directory;
  }

  /** What comes later is undone first: a plugin ends before its mounts go, and they before the folder. */
  after(undo: () => Promise<void> | void): void {
    this.#closing.add(undo, () => undo());
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }

  readonly #route = new MountRoute({
    tokens: {
      ownerOf: async (token) =>
        token === TOKEN
          ? {
              user: 'system:serviceaccount:payments:api',
              groups: [],
              extra: {
                'authentication.kubernetes.io/pod-name': ['api-0'],
                'authentication.kubernetes.io/pod-uid': ['1b4e28ba'],
              },
            }
          : undefined,
    },
    reader: { read: (request) => this.#read(request) },
    denials: new Denials({ append: async () => {} }, 'production'),
    isConfigured: () => true,
    answered: () => {},
    isUpToDate: () => true,
  });

  async #answer(asked: Asked) {
    this.asked();
    await this.hold;
    return this.#route.answer(asked);
  }

  async #read({ name, knownVersion }: Parameters<Reader['read']>[0]): ReturnType<Reader['read']> {
    const content = this.contents.get(name) ?? unknown(name);
    if (content instanceof CofferError) throw content;
    const { version, entries } = content;
    if (version === knownVersion) return { version, unchanged: true };
    this.opened.push(version);
    const values = new Map(Object.entries(entries).map(([entry, text]) => [entry, Buffer.from(text)]));
    const wipe = () => {
      for (const value of values.values()) value.fill(0);
    };
    return { version, values, keyIds: [], wipe };
  }
}

function unknown(name: string): CofferError {
  return new CofferError('SECRET_UNKNOWN', `There is no secret ${name}.`, { advice: 'Commit it.' });
}
