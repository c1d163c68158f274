/** A repository of secrets, the operator's room that rotates its key, and what a person or CI does with what it proposes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AnyRecord } from '../../core/audit/record.ts';
import { systemRandom } from '../../core/crypto/random.ts';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { isSystemError } from '../../core/files/system-error.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import { sealedTo } from '../../core/format/manifest/sealed-to.ts';
import { createKey } from '../../core/keys/create.ts';
import { readKeyDirectory, storeIdentity, storeSecretKey } from '../../core/keys/key-directory.ts';
import { keyringFrom } from '../../core/keys/keyring.ts';
import { type Recipient, type RecipientKey, readRecipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { openManifest } from '../../core/opening/open-manifest.ts';
import { openerFor } from '../../core/opening/opener.ts';
import { renderRequest, requestFile, rotateRequest } from '../../core/requests/request.ts';
import { applyProposal, namesDataKey, type Proposal, readProposal } from '../../core/rotation/proposal.ts';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import type { KeyStore } from '../../operator/keys/key-store.ts';
import type { Pusher } from '../../operator/push/pusher.ts';
import { KeyRotation, type KeyRotationOptions } from '../../operator/rotate/keys/key-rotation.ts';
import { openGitSource } from '../../operator/source/open-git-source.ts';
import type { Source } from '../../operator/source/source.ts';
import { onDisk } from '../operator/tmpfs.ts';
import { WorkTree } from '../servers/work-tree.ts';
import { recipientFiles, sealedManifest, type TestRecipient, testCluster } from '../support/secrets.ts';

export class KeysStage {
  readonly root: string;
  readonly tree: WorkTree;
  readonly production: TestRecipient;
  readonly records: AnyRecord[] = [];
  readonly thrown: unknown[] = [];
  now = new Date('2026-11-21T10:00:00Z');
  readonly #t: TestContext;
  readonly source: Source;

  private constructor(t: TestContext, root: string, tree: WorkTree, production: TestRecipient, source: Source) {
    this.#t = t;
    this.root = root;
    this.tree = tree;
    this.production = production;
    this.source = source;
  }

  /** The cluster is in the keyring, its key and identity are in the store. */
  static async open(t: TestContext): Promise<KeysStage> {
    await sodiumReady();
    const root = onDisk(t);
    const production = testCluster('production');
    await storeSecretKey(join(root, 'keys'), production.seed);
    await storeIdentity(join(root, 'keys'), 'production', production.identitySeed);
    const tree = await WorkTree.init(join(root, 'repository'));
    await tree.commit(recipientFiles(production));
    const source = await openGitSource({ url: tree.directory }, root);
    t.after(() => source.close());
    await source.poll(t.signal);
    return new KeysStage(t, root, tree, production, source);
  }

  /** A run of the operator; what an earlier one left is there. */
  operator(options: Partial<KeyRotationOptions> = {}): KeyRotation {
    return new KeyRotation({
      cluster: 'production',
      stateDirectory: this.root,
      pinsFile: join(this.root, 'pins'),
      store: this.store,
      sources: [this.source],
      pushers: new Map<string, Pusher>(),
      audit: { append: async (records) => void this.records.push(...records) },
      log: { info: () => undefined, thrown: (error) => void this.thrown.push(error) },
      grace: 0,
      elsewhere: async () => [],
      now: () => this.now,
      ...options,
    });
  }

  get store(): KeyStore {
    return new DirectoryKeyStore(join(this.root, 'keys'), 'production');
  }

  manifest(name: string, data: Record<string, string>, to: readonly TestRecipient[] = [this.production]): string {
    return sealedManifest({ namespace: 'payments', name, to, data });
  }

  async commit(files: Record<string, string | null>): Promise<string> {
    const commit = await this.tree.commit(files);
    await this.source.poll(this.#t.signal);
    return commit;
  }

  /** Puts this cluster into the keyring as another state of its keys. */
  async list(change: (recipient: Recipient) => Recipient): Promise<void> {
    await this.commit({ [this.production.recipient.file]: renderRecipient(change(this.listed)) });
  }

  /** Commits the wish for a successor of the newest key. */
  async ask({ revoke = false, key = this.listed.keys[0]?.kid ?? '', reason, created }: Asking = {}): Promise<string> {
    const wanted = { recipient: 'production', key, revoke, created: created ?? '2026-11-21T10:00:00Z' };
    const request = rotateRequest(reason === undefined ? wanted : { ...wanted, reason });
    await this.commit({ [requestFile(request.id)]: renderRequest(request) });
    return request.id;
  }

  /** What `coffer recipients rotate --revoke` commits: the newest key is stolen. */
  async revoke(created = '2026-11-21T10:00:00Z'): Promise<string> {
    const [stolen, ...others] = this.listed.keys;
    if (stolen !== undefined)
      await this.list((own) => ({ ...own, keys: [{ ...stolen, status: 'revoked' }, ...others] }));
    return await this.ask({ revoke: true, created });
  }

  /** This cluster in the keyring of the work tree. */
  get listed(): Recipient {
    return readRecipient(this.#read('.coffer/recipients/production.yaml'), 'production.yaml');
  }

  proposal(stateDirectory = this.root): Proposal | undefined {
    const id = 'rewrap-production';
    const { identity } = this.production.recipient;
    const file = join(stateDirectory, 'proposals', `${id}.jsonl`);
    try {
      const parts = readFileSync(file, 'utf8').trimEnd().split('\n');
      return readProposal(parts, { id, cluster: 'production', identity });
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** What CI does with a proposal: into the work tree, and committed. Returns the paths. */
  async collect(): Promise<string[]> {
    const proposal = this.proposal();
    if (proposal === undefined) return [];
    const files = (await this.tree.git('ls-files')).split('\n');
    const changes = await applyProposal(proposal, {
      read: async (path) => (files.includes(path) ? this.#read(path) : undefined),
      naming: async (ids) => files.filter((path) => path.endsWith('.yaml') && namesDataKey(this.#read(path), ids)),
    });
    await this.commit(Object.fromEntries(Array.from(changes, ([path, bytes]) => [path, bytes?.toString() ?? null])));
    return [...changes.keys()].toSorted();
  }

  /** Kid → stanzas of it in a file. */
  stanzasOf(path: string): Record<string, number> {
    return Object.fromEntries(sealedTo(this.#read(path), path).counts);
  }

  /** Another key of this cluster that its identity vouches for. */
  anotherKey(created: string): { key: RecipientKey; seed: Buffer } {
    const { identitySeed } = this.production;
    return createKey({ name: 'production', created, identitySeed, random: systemRandom });
  }

  /** What a manifest holds, opened by the store's keys. */
  async values(path: string): Promise<Record<string, string>> {
    const [manifest] = readManifestFile(this.#read(path), path).manifests;
    const keys = await readKeyDirectory(join(this.root, 'keys'));
    const opener = openerFor(keyringFrom([]), keys, { as: 'production' });
    if (manifest === undefined) throw new Error('no manifest');
    const { values } = openManifest(manifest, opener);
    return Object.fromEntries(Array.from(values, ([name, value]) => [name, value.toString()]));
  }

  /** What the log has of an event, as short texts. */
  told(event: AnyRecord['event']): string[] {
    const own = this.records.filter((record) => record.event === event);
    return own.map(({ change, step, code, request }) => [change ?? step ?? code, request].filter(Boolean).join(' '));
  }

  async kids(): Promise<string[]> {
    const { keys, wipe } = await this.store.read();
    wipe();
    return [...keys.keys()];
  }

  #read(path: string): Buffer {
    return readFileSync(join(this.tree.directory, path));
  }
}

interface Asking {
  revoke?: boolean;
  key?: string;
  reason?: string;
  created?: string;
}

/** Looks, and waits for what comes of it. */
export async function look(operator: KeyRotation): Promise<string[]> {
  await operator.look();
  await operator.settled();
  return operator.troubles().map(({ code }) => code);
}
