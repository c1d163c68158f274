import { randomUUID } from 'node:crypto';
import type { AuditLog } from '../../../../core/audit/log.ts';
import type { IntentRecord, OutcomeRecord } from '../../../../core/audit/record.ts';
import { CofferError } from '../../../../core/errors.ts';
import type { Manifest } from '../../../../core/format/manifest/manifest.ts';
import type { SecretKeys } from '../../../../core/keys/key-file.ts';
import type { Keyring } from '../../../../core/keys/keyring.ts';
import { openingKeys, openManifest } from '../../../../core/opening/open-manifest.ts';
import { type Opener, openerFor } from '../../../../core/opening/opener.ts';
import type { KeyStore } from '../../../keys/key-store.ts';
import type { EntryValues } from '../../rotators/rotator.ts';

export interface OpeningsOptions {
  cluster: string;
  store: KeyStore;
  audit: Pick<AuditLog, 'append'>;
}

/** What is opened for a rotation, and where the manifest is from. */
export interface Opening {
  manifest: Manifest;
  /** Of these, those that the manifest has. */
  entries: readonly string[];
  keyring: Keyring;
  source: string;
  commit: string;
}

/**
 * Opens and seals for rotations, with a record on disk before and one after (docs/architecture.md, promise 2). For one look: the secret
 * keys are read once, which may take a program for each, and are wiped when it is closed.
 */
export class Openings {
  readonly #options: OpeningsOptions;
  readonly #openers = new Map<Keyring, Opener>();
  #keys: Promise<SecretKeys> | undefined;

  constructor(options: OpeningsOptions) {
    this.#options = options;
  }

  /** Throws what `openManifest` throws, what reading the secret keys throws, AUDIT_*. */
  async open<Result>(opening: Opening, use: (values: EntryValues) => Promise<Result>): Promise<Result> {
    return this.during(opening, async (opener) => {
      const { values, wipe } = openManifest(opening.manifest, opener, presentOf(opening));
      try {
        return await use(values);
      } finally {
        wipe();
      }
    });
  }

  /** The same for work that opens by itself, with no entries where it only seals. */
  async during<Result>(opening: Opening, work: (opener: Opener) => Promise<Result>): Promise<Result> {
    const { audit } = this.#options;
    const opener = await this.#openerFor(opening.keyring);
    const intent = this.#intent(opening, opener);
    await audit.append([intent]);
    const outcome = { ...intent, event: 'secret.outcome' } as const;
    try {
      const result = await work(opener);
      await audit.append([{ ...outcome, outcome: 'done' }]);
      return result;
    } catch (error) {
      await audit.append([{ ...outcome, ...failureOf(error) }]);
      throw error;
    }
  }

  /** When nothing is opened any more. */
  async close(): Promise<void> {
    for (const opener of this.#openers.values()) opener.wipe();
    const [keys] = await Promise.allSettled([this.#keys]);
    // Whoever wanted them was told why there are none.
    if (keys.status === 'fulfilled') keys.value?.wipe();
  }

  async #openerFor(keyring: Keyring): Promise<Opener> {
    this.#keys ??= this.#options.store.read();
    const keys = await this.#keys;
    const opener = this.#openers.get(keyring) ?? openerFor(keyring, keys, { as: this.#options.cluster });
    this.#openers.set(keyring, opener);
    return opener;
  }

  #intent(opening: Opening, opener: Opener): IntentRecord {
    const { manifest, entries, source, commit } = opening;
    const used = openingKeys(manifest, opener, presentOf(opening));
    return {
      event: 'secret.intent',
      action: 'rotate',
      operation: randomUUID(),
      cluster: this.#options.cluster,
      namespace: manifest.namespace,
      name: manifest.name,
      entries: entries.toSorted(),
      ...(used.length === 0
        ? {}
        : {
            keyIds: [...new Set(used.map(({ kid }) => kid))].sort(),
            dataKeyIds: [...new Set(used.map(({ dataKeyId }) => dataKeyId))].sort(),
          }),
      source,
      commit,
      path: manifest.file,
    };
  }
}

/** What is no CofferError may hold what was opened, and is not quoted. */
function failureOf(error: unknown): Pick<OutcomeRecord, 'outcome' | 'code' | 'message'> {
  if (!(error instanceof CofferError))
    return { outcome: 'failed', message: 'The operator stopped before it was done.' };
  const { code, message, loop } = error;
  return { outcome: loop === 'retry' ? 'failed' : 'refused', code, message };
}

function presentOf({ manifest, entries }: Opening): string[] {
  return entries.filter((entry) => manifest.entries.has(entry));
}
