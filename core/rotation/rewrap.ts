/** Stanzas for others, or for newer keys: data keys and values stay as they are (docs/format.md, "Edits"). */

import { type Random, systemRandom } from '../crypto/random.ts';
import { CofferError } from '../errors.ts';
import { readdress } from '../format/edit/edit-recipients.ts';
import { namedDataKeys } from '../format/edit/sealing-run.ts';
import type { Manifest, ManifestFile } from '../format/manifest/manifest.ts';
import { manifestAt } from '../format/manifest/manifest-nodes.ts';
import { type SealingKey, sealStanza } from '../format/sealed/stanza.ts';
import { openDataKey } from '../opening/open-manifest.ts';
import type { Opener } from '../opening/opener.ts';

/**
 * The file's new text: every data key that a value names gets a stanza for each key in `add` that has none yet, whose
 * recipients are listed from then on; recipients in `remove` are listed no longer and their stanzas go. Adding needs a
 * secret key; where every stanza is there already, nothing is opened and nothing changes.
 * Throws REWRAP_NOBODY_LEFT and what `openDataKey` throws.
 */
export function rewrap(
  file: ManifestFile,
  manifestIndex: number,
  opener: Opener,
  add: readonly SealingKey[],
  remove: readonly string[],
  random: Random = systemRandom,
): string {
  const manifest = manifestAt(file, manifestIndex);
  const kept = manifest.recipients.filter((recipient) => !remove.includes(recipient));
  const names = [...new Set([...kept, ...add.map(({ recipient }) => recipient)])];
  const stanzas = newStanzas(manifest, opener, add, random);
  const gone = remove.filter((recipient) => !names.includes(recipient));
  if (names.length === 0 || isLost(manifest, stanzas, gone)) {
    throw new CofferError('REWRAP_NOBODY_LEFT', 'nobody would be left who can open the manifest', {
      advice: 'Add a recipient in the same run, or remove the manifest.',
      data: { file: manifest.file, line: manifest.line, namespace: manifest.namespace, name: manifest.name },
    });
  }
  return readdress(file, manifestIndex, names, stanzas, gone);
}

/** Whether the last stanza of a data key would go: the list of recipients may name others, who have none. */
function isLost(manifest: Manifest, added: ReadonlyMap<string, unknown>, gone: readonly string[]): boolean {
  return [...namedDataKeys(manifest).values()].some((id) => {
    const rows = id === undefined ? undefined : manifest.stanzas.get(id);
    if (id === undefined || rows === undefined || added.has(id)) return false;
    return rows.size > 0 && [...rows.keys()].every((recipient) => gone.includes(recipient));
  });
}

/**
 * Data key id → recipient → stanza, for each key in `add` that has none yet. Opens the data keys that lack one. Throws what
 * `openDataKey` throws.
 */
export function newStanzas(
  manifest: Manifest,
  opener: Opener,
  add: readonly SealingKey[],
  random: Random = systemRandom,
): Map<string, Map<string, string>> {
  const stanzas = new Map<string, Map<string, string>>();
  for (const id of new Set(namedDataKeys(manifest).values())) {
    if (id === undefined) continue;
    const missing = add.filter(({ recipient, kid }) => manifest.stanzas.get(id)?.get(recipient)?.kid !== kid);
    if (missing.length === 0) continue;
    const key = openDataKey(manifest, opener, id);
    try {
      const seal = (to: SealingKey) => sealStanza({ id, key }, to, manifest.binding, random);
      stanzas.set(id, new Map(missing.map((to) => [to.recipient, seal(to)])));
    } finally {
      key.fill(0);
    }
  }
  return stanzas;
}
