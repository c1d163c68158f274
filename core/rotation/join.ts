/** One recipient beside another: listed at once, and opening as soon as there are stanzas for it. */

import { type Random, systemRandom } from '../crypto/random.ts';
import { readdress, type Stanzas } from '../format/edit/edit-recipients.ts';
import { namedDataKeys } from '../format/edit/sealing-run.ts';
import type { Manifest, ManifestFile } from '../format/manifest/manifest.ts';
import { manifestAt } from '../format/manifest/manifest-nodes.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import type { Opener } from '../opening/opener.ts';
import { rewrap } from './rewrap.ts';

/**
 * The file's new text: a manifest that lists `like` lists the recipient of `key` too, with the stanzas that are given and those
 * that the opener can make. What nobody made is pending: `missingStanzas` tells of it. A manifest that does not list `like`
 * stays as it is. Throws what `rewrap` throws.
 */
export function join(
  file: ManifestFile,
  manifestIndex: number,
  wanted: { like: string; key: SealingKey; made?: Stanzas; opener?: Opener | undefined; random?: Random },
): string {
  const { like, key, made = new Map(), opener, random = systemRandom } = wanted;
  const manifest = manifestAt(file, manifestIndex);
  if (!manifest.recipients.includes(like)) return file.text;
  const missing = missingStanzas(manifest, key);
  if (missing.every((id) => made.has(id))) {
    return readdress(file, manifestIndex, withRecipient(manifest, key), only(made, missing), []);
  }
  if (opener !== undefined && canOpen(manifest, opener, missing)) {
    return rewrap(file, manifestIndex, opener, [key], [], random);
  }
  return readdress(file, manifestIndex, withRecipient(manifest, key), only(made, missing), []);
}

/** Data keys in use that have no stanza for this key. */
export function missingStanzas(
  manifest: Manifest,
  { recipient, kid }: Pick<SealingKey, 'recipient' | 'kid'>,
): string[] {
  const used = [...namedDataKeys(manifest).values()].filter((id) => id !== undefined);
  return [...new Set(used)].filter((id) => manifest.stanzas.get(id)?.get(recipient)?.kid !== kid);
}

/** Whether each of these data keys has a stanza that the opener holds the key of. Opens nothing. */
function canOpen(manifest: Manifest, opener: Opener, dataKeyIds: readonly string[]): boolean {
  return dataKeyIds.every((id) =>
    [...(manifest.stanzas.get(id) ?? [])].some(
      ([recipient, { kid }]) => manifest.recipients.includes(recipient) && opener.holds(recipient, kid),
    ),
  );
}

function withRecipient({ recipients }: Manifest, { recipient }: SealingKey): string[] {
  return [...new Set([...recipients, recipient])];
}

function only(stanzas: Stanzas, ids: readonly string[]): Stanzas {
  return new Map([...stanzas].filter(([id]) => ids.includes(id)));
}
