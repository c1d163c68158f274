import type { Manifest } from '../../format/manifest/manifest.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

/**
 * Ciphertext that somebody copied to where it cannot be opened: it is bound to its manifest and entry (docs/format.md,
 * "What is bound and what is not"). Seen without a key, because data keys and nonces are random: whatever stands in two
 * places was copied.
 */
export class Copies {
  /** Data key id → what the first manifest that used it binds it to. */
  #bindings = new Map<string, { bound: string; file: string; line: number; title: string }>();

  look(manifest: Manifest): Finding[] {
    return [...this.#fromOtherManifest(manifest), ...fromOtherEntry(manifest)];
  }

  #fromOtherManifest(manifest: Manifest): Finding[] {
    const { scope, namespace, name } = manifest.binding;
    const bound = JSON.stringify([scope, scope === 'cluster' ? '' : namespace, scope === 'strict' ? name : '']);
    const title = `${manifest.namespace}/${manifest.name}`;
    for (const [entry, value] of manifest.entries) {
      if (value.kind !== 'sealed') continue;
      const first = this.#bindings.get(value.dataKeyId);
      if (first === undefined) {
        this.#bindings.set(value.dataKeyId, { bound, file: manifest.file, line: value.line, title });
      } else if (first.bound !== bound) {
        const place = { file: manifest.file, line: value.line, namespace: manifest.namespace, name: manifest.name };
        // One for a manifest: its other values came the same way.
        return [
          finding(
            'CHECK_COPIED_MANIFEST',
            { ...place, entry, dataKeyId: value.dataKeyId },
            {
              message: `${title} and ${first.title} (${first.file}:${first.line}) share ciphertext; it opens in one only`,
              advice: 'Set the values again where the copy is: `coffer set`, or `coffer new` for the whole manifest.',
            },
          ),
        ];
      }
    }
    return [];
  }
}

function fromOtherEntry(manifest: Manifest): Finding[] {
  const first = new Map<string, string>();
  const found: Finding[] = [];
  for (const [entry, value] of manifest.entries) {
    if (value.kind !== 'sealed') continue;
    // The end is the authentication tag: enough to tell ciphertexts apart, and short to look up.
    const tag = value.text.slice(-24);
    const other = first.get(tag);
    if (other === undefined) {
      first.set(tag, entry);
      continue;
    }
    found.push(
      finding(
        'CHECK_COPIED_VALUE',
        { file: manifest.file, line: value.line, namespace: manifest.namespace, name: manifest.name, entry },
        {
          message: `entries ${other} and ${entry} share one ciphertext; it opens in one of them only`,
          advice: `Set the copy again: ${command('set', manifest.file, entry)}.`,
        },
      ),
    );
  }
  return found;
}
