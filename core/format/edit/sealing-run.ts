/** One run that seals values into a manifest: docs/format.md, "Data keys". */

import type { Random } from '../../crypto/random.ts';
import { Bug, CofferError } from '../../errors.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { type DataKey, newDataKey } from '../sealed/data-key.ts';
import { type SealingKey, sealStanza } from '../sealed/stanza.ts';
import { sealValue } from '../sealed/value.ts';
import { changeKeys, type NewDataKey } from './keys-layout.ts';
import type { TextEdits } from './text-edits.ts';

/** One run: a new data key, the values that it seals, a stanza for every recipient that the manifest lists. */
export class SealingRun {
  readonly #manifest: Manifest;
  readonly #keys: readonly SealingKey[];
  readonly #random: Random;
  readonly #dataKey: DataKey;
  readonly #touched = new Set<string>();

  constructor(manifest: Manifest, keys: readonly SealingKey[], random: Random) {
    checkSealingKeys(manifest, keys);
    this.#manifest = manifest;
    this.#keys = keys;
    this.#random = random;
    this.#dataKey = newDataKey(random);
  }

  seal(entry: string, plaintext: Uint8Array): string {
    this.#touched.add(entry);
    return sealValue(plaintext, this.#dataKey, this.#manifest.binding, entry, this.#random);
  }

  /** The stanzas, after which the data key is wiped: nothing can be sealed any more. */
  finish(): NewDataKey {
    const { binding } = this.#manifest;
    const stanzas = new Map<string, string>();
    try {
      for (const key of this.#keys) stanzas.set(key.recipient, sealStanza(this.#dataKey, key, binding, this.#random));
    } finally {
      this.#dataKey.key.fill(0);
    }
    return { id: this.#dataKey.id, stanzas };
  }

  /** For a run that came to nothing: the data key is wiped, and nothing was sealed. */
  wipe(): void {
    this.#dataKey.key.fill(0);
  }

  /** Finishes, and writes the stanzas into the manifest's text. */
  writeKeys(edits: TextEdits, syntax: 'yaml' | 'json'): void {
    const added = this.finish();
    const entries = namedDataKeys(this.#manifest);
    for (const entry of this.#touched) entries.set(entry, added.id);
    changeKeys(edits, this.#manifest, syntax, { entries, touched: this.#touched, added });
  }
}

/** Every listed recipient has exactly one key, and nobody else has. */
function checkSealingKeys(manifest: Manifest, keys: readonly SealingKey[]): void {
  const given = new Set(keys.map(({ recipient }) => recipient));
  const missing = manifest.recipients.find((recipient) => !given.has(recipient));
  if (missing !== undefined) {
    throw new CofferError('SEALING_KEY_MISSING', `There is no key to seal to ${missing} with.`, {
      advice: 'Add the recipient to the keyring, or remove it from the manifest.',
      data: { file: manifest.file, line: manifest.line, recipient: missing },
    });
  }
  if (given.size !== keys.length || given.size !== manifest.recipients.length) {
    throw new Bug('sealing keys for recipients that the manifest does not list');
  }
}

/** The data key that each entry names, in the order of data. */
export function namedDataKeys(manifest: Manifest): Map<string, string | undefined> {
  const named = new Map<string, string | undefined>();
  for (const [name, entry] of manifest.entries) named.set(name, entry.kind === 'sealed' ? entry.dataKeyId : undefined);
  return named;
}
