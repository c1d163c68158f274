import type { EncryptedSecret } from '../../../schemas/encrypted-secret.ts';
import { type Difference, detailedDifferences, differences } from '../../differences.ts';
import type { Entry, Manifest, ManifestFile, Reader } from '../manifest/manifest.ts';

/** What a reviewer wants to know of a change, without any value. */
export interface ManifestChange extends Difference {
  namespace: string;
  name: string;
  what: 'manifest' | 'entry' | 'template' | 'recipient' | 'reader' | 'stanza' | 'field';
  /** The entry, recipient, reader or field; empty for the manifest itself. */
  subject: string;
}

/** A change before it is known of which manifest it is. */
type Change = Omit<ManifestChange, 'namespace' | 'name'>;

/**
 * What changed from one version of a file to another; absent: there is none. Manifests are compared with the one of the
 * same namespace and name. Of a manifest that is new everything is listed, of one that is gone only itself.
 */
export function compareManifests(before?: ManifestFile, after?: ManifestFile): ManifestChange[] {
  const old = byTitle(before);
  const now = byTitle(after);
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((title) => {
    const one = old.get(title);
    const other = now.get(title);
    const { namespace, name } = other ?? one ?? { namespace: '', name: '' };
    return changesOf(one, other).map((change) => ({ namespace, name, ...change }));
  });
}

/** Two of one name in a file (for different recipients) are told apart by their order. */
function byTitle(file: ManifestFile | undefined): Map<string, Manifest> {
  const found = new Map<string, Manifest>();
  for (const manifest of file?.manifests ?? []) {
    const title = `${manifest.namespace}/${manifest.name}`;
    let key = title;
    for (let number = 2; found.has(key); number += 1) key = `${title} ${number}`;
    found.set(key, manifest);
  }
  return found;
}

function changesOf(before: Manifest | undefined, after: Manifest | undefined): Change[] {
  if (after === undefined) return [{ what: 'manifest', subject: '', change: 'removed' }];
  return [
    ...(before === undefined ? [{ what: 'manifest', subject: '', change: 'added' } as const] : []),
    ...fieldChanges(before, after),
    ...recipientChanges(before, after),
    ...readerChanges(before, after),
    ...mapChanges('entry', before?.entries, after.entries, sameEntry),
    ...mapChanges('template', before?.template.data, after.template.data, sameJson),
    ...stanzaChanges(before, after),
  ];
}

function recipientChanges(before: Manifest | undefined, after: Manifest): Change[] {
  const sets = [before?.recipients ?? [], after.recipients].map((names) => new Map(names.map((name) => [name, true])));
  return mapChanges('recipient', sets[0], sets[1] ?? new Map(), () => true);
}

function readerChanges(before: Manifest | undefined, after: Manifest): Change[] {
  const granted = (readers: readonly Reader[] = []) =>
    new Map(
      readers.map(({ name, entries }) => [name, entries === undefined ? 'all' : [...entries].toSorted().join(', ')]),
    );
  return detailedChanges('reader', granted(before?.readers), granted(after.readers));
}

/** Stanzas of data keys that both versions use: a new data key comes with a changed entry, which says enough. */
function stanzaChanges(before: Manifest | undefined, after: Manifest): Change[] {
  const old = new Map<string, string>();
  const now = new Map<string, string>();
  for (const [dataKeyId, stanzas] of after.stanzas) {
    const earlier = before?.stanzas.get(dataKeyId);
    if (earlier === undefined) continue;
    for (const [recipient, { kid }] of earlier) old.set(recipient, kid);
    for (const [recipient, { kid }] of stanzas) now.set(recipient, kid);
  }
  const isListed = ({ subject }: Change) => after.recipients.includes(subject);
  // The stanzas of a removed recipient go with it.
  return detailedChanges('stanza', old, now, (kid) => `key ${kid.slice(0, 8)}…`).filter(isListed);
}

/** What has no row of its own: scope, type, rotation, and what the metadata say. */
function fieldChanges(before: Manifest | undefined, after: Manifest): Change[] {
  return before === undefined ? [] : detailedChanges('field', fieldsOf(before), fieldsOf(after));
}

function fieldsOf(manifest: Manifest): Map<string, string> {
  const { metadata, spec } = manifest.document.value as EncryptedSecret;
  const { recipients: _recipients, readers: _readers, data: _data, keys: _keys, template, ...fields } = spec;
  const { name: _name, namespace: _namespace, ...labels } = metadata;
  const all = { ...labels, ...fields, ...(template?.metadata ?? {}) };
  const shown = Object.entries(all).map(([field, value]): [string, string] => [
    field,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  // A default that is written down is no change.
  return new Map([
    ['scope', manifest.binding.scope],
    ['type', manifest.type],
    ['deletionPolicy', manifest.deletionPolicy],
    ['projection', manifest.projection],
    ...shown,
  ]);
}

function detailedChanges(what: Change['what'], ...compared: Parameters<typeof detailedDifferences>): Change[] {
  return detailedDifferences(...compared).map((difference) => ({ what, ...difference }));
}

function mapChanges<Value>(
  what: Change['what'],
  before: ReadonlyMap<string, Value> | undefined,
  after: ReadonlyMap<string, Value> | undefined,
  isSame?: (before: Value, after: Value) => boolean,
): Change[] {
  return differences(before, after, isSame).map((difference) => ({ what, ...difference }));
}

/** Of sealed values the ciphertext is compared: another one need not be another value. */
function sameEntry(before: Entry, after: Entry): boolean {
  if (before.kind === 'sealed') return after.kind === 'sealed' && before.text === after.text;
  return after.kind === 'plaintext' && before.bytes.equals(after.bytes);
}

function sameJson(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
