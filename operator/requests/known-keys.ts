import { join } from 'node:path';
import { placeFile } from '../../core/files/place-file.ts';
import { listIfThere, readIfThere } from '../../core/files/read-if-there.ts';
import { isFile } from '../../core/git/trees/tree.ts';
import { recipientFile } from '../../core/keys/create.ts';
import { checkPin, type Pins } from '../../core/keys/pins.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { OwnMaps } from '../kubernetes/own-maps.ts';
import type { Asked } from './asked.ts';
import { givenUp } from './key-history.ts';

/** Recipients' files by recipient, as text. */
type Files = ReadonlyMap<string, string>;

/**
 * The newest state of keys that a source was seen with, of recipients whose identity the pins confirm. A clone begins shallow: a
 * replica that takes over, or an operator whose state is gone, finds in its own history nothing of a key that was given up before.
 * In a cluster a ConfigMap beside the operator keeps it, for all replicas; else the state directory does.
 */
export class KnownKeys {
  readonly #folder: string;
  readonly #maps: OwnMaps | undefined;

  constructor(stateDirectory: string, client: KubeClient | undefined) {
    this.#folder = join(stateDirectory, 'known-keys');
    this.#maps = client && new OwnMaps(client);
  }

  /**
   * Remembers an accepted state, and gives what is known then, the file of a recipient whose keys went back as it was before.
   *
   * @throws CofferError FILE_SYSTEM, KUBERNETES_*: what was given up is then not known
   */
  async learn(asked: Asked, pins: Pins): Promise<Files> {
    const now = await pinnedFiles(asked, pins);
    if (now.size === 0) return now;
    const source = asked.source.id;
    const before = await this.#read(source);
    const known = new Map(before);
    for (const [name, text] of now) {
      const earlier = before.get(name);
      if (earlier === undefined || givenUp(asked.keyring, name, [Buffer.from(earlier)]) === undefined)
        known.set(name, text);
    }
    const learnt = new Map([...known].filter(([name, text]) => before.get(name) !== text));
    if (learnt.size > 0) await this.#write(source, known, learnt);
    return known;
  }

  async #read(source: string): Promise<Files> {
    if (this.#maps === undefined) return readFolder(join(this.#folder, source));
    return new Map(Object.entries((await this.#maps.get(mapOf(source)))?.data ?? {}));
  }

  async #write(source: string, known: Files, learnt: Files): Promise<void> {
    if (this.#maps === undefined) return writeFolder(join(this.#folder, source), learnt);
    await this.#maps.apply(mapOf(source), Object.fromEntries(known));
  }
}

function mapOf(source: string): string {
  return `coffer-known-keys-${source}`;
}

/** What nobody confirmed is never sealed to, and would be anybody's way to fill the memory. */
async function pinnedFiles({ source, state, keyring }: Asked, pins: Pins): Promise<Files> {
  const files = new Map<string, string>();
  for (const recipient of keyring.recipients.values()) {
    if (checkPin(pins, recipient) !== 'pinned') continue;
    const entry = await source.repository.entryAt(state.tree, recipientFile(recipient.name));
    if (entry === undefined || !isFile(entry)) continue;
    files.set(recipient.name, (await source.repository.readBlob(entry.oid)).toString());
  }
  return files;
}

async function readFolder(folder: string): Promise<Files> {
  const names = await listIfThere(folder);
  return new Map(await Promise.all(names.map(async (name) => [name, await readIfThere(join(folder, name))] as const)));
}

async function writeFolder(folder: string, files: Files): Promise<void> {
  for (const [name, text] of files) await placeFile(join(folder, name), text, { mode: 0o600 });
}
