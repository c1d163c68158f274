import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import {
  identityFileBytes,
  identityFileName,
  keyFileBytes,
  keyFileName,
  keyIdOfFileName,
  parseIdentityFile,
  readKeyFiles,
  type SecretKeys,
} from '../../core/keys/key-file.ts';
import { keyIdOfSeed } from '../../core/keys/key-id.ts';
import { NAME } from '../../schemas/grammar.ts';
import { ask, failed } from './key-program.ts';
import type { KeyStore } from './key-store.ts';

export interface CommandOptions {
  run: readonly string[];
  /** Of one run, in milliseconds. */
  timeout: number;
  cluster: string;
  said(line: string): void;
  now?: () => number;
}

/** Exit codes of the protocol (docs/operations.md, "Keys by a command"); any other is a failure that is tried again. */
const DONE = 0;
const NOT_THERE = 3;
const THERE_ALREADY = 4;

/** How long keys that were read are used again: a KMS is asked over a network, and bills each question. */
const KEPT_FOR = 60_000;
const MOST_FILES = 200;

/** A program that speaks for a KMS or a vault: it keeps key files by their names. */
export class CommandKeyStore implements KeyStore {
  readonly #options: CommandOptions;
  readonly #now: () => number;
  /** What was read last, as seeds: key texts are not kept. */
  #kept: { keys: SecretKeys; until: number } | undefined;

  constructor(options: CommandOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get place(): string {
    return `the program ${this.#program}`;
  }

  async read(): Promise<SecretKeys> {
    await sodiumReady();
    const kept = this.#kept;
    if (kept !== undefined && this.#now() < kept.until) return copyOf(kept.keys);
    this.#forget();
    const keys = await readKeyFiles(
      await this.#list(),
      (fileName) => this.#placeOf(fileName),
      (fileName) => this.#read(fileName),
    );
    if (keys.problems.length > 0 || keys.keys.size === 0) return keys;
    this.#kept = { keys, until: this.#now() + KEPT_FOR };
    return copyOf(keys);
  }

  async readIdentity(): Promise<Buffer | undefined> {
    await sodiumReady();
    const fileName = identityFileName(this.#options.cluster);
    if (!(await this.#list()).includes(fileName)) return undefined;
    const bytes = await this.#read(fileName);
    try {
      return parseIdentityFile(bytes, this.#placeOf(fileName));
    } finally {
      bytes.fill(0);
    }
  }

  async store(seed: Uint8Array): Promise<void> {
    await sodiumReady();
    await this.#store(keyFileName(keyIdOfSeed(seed)), keyFileBytes(seed));
    this.#forget();
  }

  async remove(kid: string): Promise<void> {
    this.#forget();
    const { exitCode, output } = await this.#ask(['remove', keyFileName(kid)]);
    output.fill(0);
    if (exitCode !== DONE && exitCode !== NOT_THERE) throw this.#refused('remove', exitCode);
  }

  async storeIdentity(identitySeed: Uint8Array): Promise<void> {
    await sodiumReady();
    const { cluster } = this.#options;
    const fileName = identityFileName(cluster);
    if (await this.#store(fileName, identityFileBytes(cluster, identitySeed))) return;
    throw new CofferError('IDENTITY_EXISTS', `${this.#placeOf(fileName)} is there already`, {
      advice: 'What is there stays: go on with that identity.',
      data: { recipient: cluster, path: this.#program },
    });
  }

  close(): void {
    this.#forget();
  }

  async #list(): Promise<string[]> {
    const { exitCode, output } = await this.#ask(['list']);
    const lines = output.toString('utf8').split('\n');
    output.fill(0);
    if (exitCode !== DONE) throw this.#refused('list', exitCode);
    const names = lines.map((line) => line.trim()).filter(isFileName);
    if (names.length > MOST_FILES) throw failed(this.#program, `lists more than ${MOST_FILES} key files`);
    return names;
  }

  async #read(fileName: string): Promise<Buffer> {
    const { exitCode, output } = await this.#ask(['read', fileName]);
    if (exitCode === DONE) return output;
    output.fill(0);
    if (exitCode === NOT_THERE) throw failed(this.#program, `lists ${fileName} and does not have it`);
    throw this.#refused('read', exitCode);
  }

  /** Returns whether it was stored: false where a file of that name is there. Wipes the bytes. */
  async #store(fileName: string, bytes: Buffer): Promise<boolean> {
    try {
      const { exitCode, output } = await this.#ask(['store', fileName], bytes);
      output.fill(0);
      if (exitCode === DONE || exitCode === THERE_ALREADY) return exitCode === DONE;
      throw this.#refused('store', exitCode);
    } finally {
      bytes.fill(0);
    }
  }

  #ask(words: readonly string[], input: Uint8Array = Buffer.alloc(0)) {
    return ask([...this.#options.run, ...words], input, this.#options);
  }

  #refused(verb: string, exitCode: number): CofferError {
    return failed(this.#program, `ended \`${verb}\` with exit code ${exitCode}`);
  }

  #forget(): void {
    this.#kept?.keys.wipe();
    this.#kept = undefined;
  }

  get #program(): string {
    return this.#options.run[0] ?? '';
  }

  #placeOf(fileName: string): string {
    return `${fileName} of ${this.place}`;
  }
}

/** A place may hold more than coffer's files; only what has the name of one is asked for. */
function isFileName(text: string): boolean {
  if (keyIdOfFileName(text) !== undefined) return /^[0-9a-f]{32}\.key$/.test(text);
  return text.endsWith('.identity') && new RegExp(NAME).test(text.slice(0, -'.identity'.length));
}

function copyOf({ keys }: SecretKeys): SecretKeys {
  const copies = new Map(Array.from(keys, ([kid, { seed }]) => [kid, { kid, seed: Buffer.from(seed) }]));
  const wipe = () => {
    for (const { seed } of copies.values()) seed.fill(0);
  };
  return { keys: copies, problems: [], wipe };
}
