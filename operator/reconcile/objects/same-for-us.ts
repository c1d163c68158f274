import type { Manifest } from '../../../core/format/manifest/manifest.ts';

/**
 * Whether two manifests say the same to this cluster: all that is projected and for whom, and the stanzas that `own` can open. What
 * concerns other recipients, when values are rotated, and how the file is written does not matter. Plaintext is never the same.
 */
export function isSameForUs(one: Manifest, other: Manifest | undefined, own: ReadonlySet<string>): boolean {
  if (other === undefined) return false;
  const mine = essence(one, own);
  return mine !== undefined && mine === essence(other, own);
}

/** `undefined` where there is plaintext. */
function essence(manifest: Manifest, own: ReadonlySet<string>): string | undefined {
  const texts = new Map<string, string>();
  for (const [name, entry] of manifest.entries) {
    if (entry.kind !== 'sealed') return undefined;
    texts.set(name, entry.text);
  }
  const { binding, namespaces, readers, type, deletionPolicy, projection, template, stanzas } = manifest;
  const ourStanzas = [...stanzas].flatMap(([dataKey, byRecipient]) =>
    [...byRecipient].flatMap(([recipient, { text }]) => (own.has(recipient) ? [[dataKey, recipient, text]] : [])),
  );
  return JSON.stringify([
    [binding.scope, binding.namespace, binding.name],
    [...namespaces].sort(),
    readers.map(({ name, entries }) => JSON.stringify([name, entries && [...entries].sort()])).sort(),
    [type, deletionPolicy, projection],
    manifest.recipients.filter((recipient) => own.has(recipient)).sort(),
    sorted(texts),
    ourStanzas.map((row) => row.join(' ')).sort(),
    [sorted(template.data), sorted(template.labels), sorted(template.annotations)],
  ]);
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
