import { sodiumReady } from '../../core/crypto/sodium.ts';
import { Bug, CofferError } from '../../core/errors.ts';
import {
  identityFileBytes,
  identityFileName,
  keyFileBytes,
  keyFileName,
  parseIdentityFile,
  readKeyFiles,
  type SecretKeys,
} from '../../core/keys/key-file.ts';
import { keyIdOfSeed } from '../../core/keys/key-id.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';
import { RESOURCES } from '../kubernetes/resource.ts';
import { secretBody } from '../kubernetes/secret-body.ts';
import type { KeyStore } from './key-store.ts';
import { type SplitSecret, splitSecret, wipeData } from './secret-data.ts';

/** How often a write is tried again that another replica was ahead of. */
const ATTEMPTS = 5;

/**
 * A Secret in the operator's namespace, whose data are key files. It is made with create, and added to only as it was read
 * (resourceVersion): of two replicas that store at once neither writes over what the other stored.
 */
export class SecretKeyStore implements KeyStore {
  readonly #client: KubeClient;
  readonly #name: { namespace: string; name: string };
  readonly #cluster: string;

  constructor(client: KubeClient, name: string, cluster: string) {
    this.#client = client;
    this.#name = { namespace: client.namespace, name };
    this.#cluster = cluster;
  }

  get place(): string {
    return `Secret ${this.#name.namespace}/${this.#name.name}`;
  }

  async read(): Promise<SecretKeys> {
    await sodiumReady();
    const data = (await this.#secret())?.data ?? new Map<string, Buffer>();
    try {
      return await readKeyFiles(
        data.keys(),
        (fileName) => this.#placeOf(fileName),
        (fileName) => data.get(fileName) ?? Buffer.alloc(0),
      );
    } finally {
      wipeData(data);
    }
  }

  async readIdentity(): Promise<Buffer | undefined> {
    await sodiumReady();
    const fileName = identityFileName(this.#cluster);
    const data = (await this.#secret())?.data;
    if (data === undefined) return undefined;
    try {
      const bytes = data.get(fileName);
      return bytes && parseIdentityFile(bytes, this.#placeOf(fileName));
    } finally {
      wipeData(data);
    }
  }

  async store(seed: Uint8Array): Promise<void> {
    await sodiumReady();
    await this.#add(keyFileName(keyIdOfSeed(seed)), keyFileBytes(seed));
  }

  async remove(kid: string): Promise<void> {
    const fileName = keyFileName(kid);
    await this.#asItWasRead(async (before) => {
      if (before?.data.has(fileName) !== true) return;
      const { resourceVersion } = before.object.metadata;
      const body = { metadata: { resourceVersion }, data: { [fileName]: null } };
      await this.#client.patch(RESOURCES.secrets, this.#name, body, { type: 'merge' });
    });
  }

  async storeIdentity(identitySeed: Uint8Array): Promise<void> {
    await sodiumReady();
    const fileName = identityFileName(this.#cluster);
    if (await this.#add(fileName, identityFileBytes(this.#cluster, identitySeed))) return;
    throw new CofferError('IDENTITY_EXISTS', `${this.#placeOf(fileName)} is there already`, {
      advice: 'What is there stays: go on with that identity.',
      data: { recipient: this.#cluster, path: this.place },
    });
  }

  close(): void {
    // Nothing is kept in memory: to read a Secret is cheap.
  }

  /** Returns whether it was added: what is there already stays. Wipes the bytes. */
  async #add(fileName: string, bytes: Buffer): Promise<boolean> {
    try {
      return await this.#asItWasRead(async (before) => {
        if (before?.data.has(fileName)) return false;
        await this.#write(before, fileName, bytes);
        return true;
      });
    } finally {
      bytes.fill(0);
    }
  }

  /** What is written holds for the Secret that was read only: where another replica was ahead, it is read again. */
  async #asItWasRead<Result>(write: (before: SplitSecret | undefined) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const before = await this.#secret();
      if (before !== undefined) wipeData(before.data);
      try {
        return await write(before);
      } catch (error) {
        const isBehind = error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT';
        if (!isBehind || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #write(before: SplitSecret | undefined, fileName: string, bytes: Buffer): Promise<void> {
    const { resourceVersion } = before?.object.metadata ?? {};
    if (before !== undefined && resourceVersion === undefined) throw new Bug('an object without a version');
    const metadata = { ...this.#name, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    const body = secretBody({ metadata, type: before?.object.type ?? 'Opaque' }, new Map([[fileName, bytes]]));
    try {
      if (before === undefined) await this.#client.create(RESOURCES.secrets, body, { namespace: this.#name.namespace });
      else await this.#client.patch(RESOURCES.secrets, this.#name, body, { type: 'merge' });
    } finally {
      body.fill(0);
    }
  }

  async #secret(): Promise<SplitSecret | undefined> {
    try {
      const json = await this.#client.getBytes(RESOURCES.secrets, this.#name);
      if (json === undefined) return undefined;
      try {
        return splitSecret(json);
      } finally {
        json.fill(0);
      }
    } catch (error) {
      throw error instanceof CofferError ? error.at({ path: this.place }) : error;
    }
  }

  #placeOf(fileName: string): string {
    return `${fileName} in ${this.place}`;
  }
}
