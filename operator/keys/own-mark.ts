import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { pae } from '../../core/crypto/pae.ts';
import { CofferError } from '../../core/errors.ts';
import type { KeyStore } from './key-store.ts';
import { withIdentity } from './with-identity.ts';

export interface OwnMarkOptions {
  store: Pick<KeyStore, 'readIdentity'>;
  /** Told of each text that is not ours, once. */
  told: (error: CofferError) => void;
}

/** Of the key (HKDF, RFC 5869), and of what it marks. */
const INFO = 'coffer/v1/memory';
const KEY_BYTES = 32;
/** Of what stands before the text: 43 characters of base64url, and what is around them. */
const HEAD_LENGTH = '["",\n'.length + 43;

/**
 * What an operator remembers outside of its process, in ConfigMaps or files, others may write too. Each text bears a mark:
 * HMAC-SHA256, by a key that is derived from the cluster's identity, over the name of the text and the text. One without a right mark
 * counts as if it was not there. An older text with its mark is as good as the newest: what is remembered must bear that.
 */
export class OwnMark {
  readonly #options: OwnMarkOptions;
  readonly #told = new Set<string>();
  #key: Buffer | undefined;

  constructor(options: OwnMarkOptions) {
    this.#options = options;
  }

  /**
   * @param text JSON
   * @returns JSON too: an array of the mark and what the text holds; undefined: there is no identity
   * @throws what the key store throws
   */
  async mark(name: string, text: string): Promise<string | undefined> {
    const key = await this.#derived();
    return key && marked(key, name, text);
  }

  /**
   * @param place for people: where it was read
   * @returns the text alone; undefined: it is not ours, or nobody can tell, for there is no identity
   * @throws what the key store throws
   */
  async textOf(name: string, found: string, place: string): Promise<string | undefined> {
    const key = await this.#derived();
    const text = found.slice(HEAD_LENGTH, -']\n'.length);
    if (key !== undefined && isEqual(found, marked(key, name, text))) return text;
    if (!this.#told.has(name)) this.#options.told(foreign(place));
    this.#told.add(name);
    return undefined;
  }

  /** Kept for as long as the process lives: identities do not change, and to read one may take a program. */
  async #derived(): Promise<Buffer | undefined> {
    this.#key ??= await withIdentity(this.#options.store, (seed) =>
      Buffer.from(hkdfSync('sha256', seed, '', INFO, KEY_BYTES)),
    );
    return this.#key;
  }
}

function marked(key: Buffer, name: string, text: string): string {
  const mac = createHmac('sha256', key).update(pae(INFO, name, text));
  return `["${mac.digest('base64url')}",\n${text}]\n`;
}

function isEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function foreign(place: string): CofferError {
  return new CofferError(
    'ROTATE_MEMORY_FOREIGN',
    `${place} was not written by this operator, or not as it is now, and counts as if it was not there.`,
    {
      advice:
        'Find out who may write there. Remove it, unless it is the memory of an operator whose identity is missing now.',
      data: { path: place },
    },
  );
}
