import { Bug, CofferError, type ErrorData } from '../errors.ts';
import type { Entry, Manifest, Stanza } from '../format/manifest/manifest.ts';
import { renderTemplate, templateEntries } from '../format/manifest/template.ts';
import { openStanza } from '../format/sealed/stanza.ts';
import { openValue } from '../format/sealed/value.ts';
import type { Opener } from './opener.ts';

/**
 * From a manifest to plaintext (docs/format.md, "A manifest"): one stanza for each data key that is needed, then the
 * values, then what templates make of them.
 */

export interface OpenedManifest {
  /** Names of `data` and of `template.data` that were asked for → plaintext. */
  values: ReadonlyMap<string, Buffer>;
  /** Listed recipients that lack a stanza for a data key in use: what was set since they were added, or by halves. */
  pending: readonly string[];
  /** Zeroes the values. */
  wipe(): void;
}

/** Which key opens a data key. */
export interface DataKeyOpening {
  dataKeyId: string;
  recipient: string;
  kid: string;
}

/**
 * Opens all of a manifest, or the entries (of `data` and `template.data`) that are asked for. All or nothing.
 *
 * @throws CofferError MANIFEST_NOT_FOR_US, MANIFEST_ENTRY_UNKNOWN, MANIFEST_PLAINTEXT, STANZA_UNLISTED, STANZA_MISSING,
 * STANZA_UNKNOWN_KEY, and what core/format/sealed/stanza.ts, value.ts and template.ts throw, with file, line and entry
 */
export function openManifest(manifest: Manifest, opener: Opener, entries?: Iterable<string>): OpenedManifest {
  const asked = new Set(entries ?? [...manifest.entries.keys(), ...manifest.template.data.keys()]);
  refuseUnlistedStanzas(manifest);
  const dataKeys = new Map<string, Buffer>();
  const opened = new Map<string, Buffer>();
  const wipe = () => wipeAll(opened);
  try {
    for (const [name, entry] of sealedEntries(manifest, neededEntries(manifest, asked))) {
      opened.set(name, openEntry(manifest, opener, name, entry, dataKeys));
    }
    for (const [name, parts] of manifest.template.data) {
      if (asked.has(name))
        opened.set(
          name,
          inManifest(manifest, { entry: name }, () => renderTemplate(parts, opened)),
        );
    }
  } catch (error) {
    wipe();
    throw error;
  } finally {
    wipeAll(dataKeys);
  }
  for (const [name, value] of opened) {
    if (asked.has(name)) continue;
    value.fill(0);
    opened.delete(name);
  }
  return { values: opened, pending: pendingRecipients(manifest), wipe };
}

/**
 * Which keys `openManifest` would use, for the record that comes before it. Nothing is opened, the seed of a group's key
 * neither. Throws as `openManifest` does for what is seen without opening.
 */
export function openingKeys(manifest: Manifest, opener: Opener, entries?: Iterable<string>): DataKeyOpening[] {
  const asked = new Set(entries ?? [...manifest.entries.keys(), ...manifest.template.data.keys()]);
  const ids = new Set(sealedEntries(manifest, neededEntries(manifest, asked)).map(([, { dataKeyId }]) => dataKeyId));
  return Array.from(ids, (dataKeyId) => {
    const { recipient, stanza } = chooseStanza(manifest, opener, dataKeyId);
    return { dataKeyId, recipient, kid: stanza.kid };
  });
}

/**
 * @returns the data key, 32 bytes, which the caller wipes.
 * @throws CofferError MANIFEST_NOT_FOR_US, STANZA_*, HPKE_LOW_ORDER
 */
export function openDataKey(manifest: Manifest, opener: Opener, dataKeyId: string): Buffer {
  const { recipient, stanza } = chooseStanza(manifest, opener, dataKeyId);
  return inManifest(manifest, { line: stanza.line }, () => {
    const key = opener.secretKey(recipient, stanza.kid);
    if (key === undefined) throw new Bug('an opener without a key that it holds');
    return openStanza(stanza.text, { recipient, ...key }, manifest.binding, dataKeyId);
  });
}

/** Plaintext in git is an error, whoever reads it. @throws CofferError MANIFEST_PLAINTEXT */
export function refusePlaintext(manifest: Manifest): void {
  sealedEntries(manifest, new Set(manifest.entries.keys()));
}

/** Recipients that are listed but lack a stanza for a data key that some value names. */
function pendingRecipients(manifest: Manifest): string[] {
  const named = usedDataKeys(manifest);
  return manifest.recipients.filter((recipient) => named.some((id) => !manifest.stanzas.get(id)?.has(recipient)));
}

/** Data keys that some value names; others are ignored. */
function usedDataKeys(manifest: Manifest): string[] {
  const ids = [...manifest.entries.values()].flatMap((entry) => (entry.kind === 'sealed' ? [entry.dataKeyId] : []));
  return [...new Set(ids)];
}

/**
 * A stanza lets its recipient open the values. One for a recipient that is not listed would be overlooked in review.
 */
function refuseUnlistedStanzas(manifest: Manifest): void {
  for (const dataKeyId of usedDataKeys(manifest)) {
    for (const [recipient, { line }] of manifest.stanzas.get(dataKeyId) ?? []) {
      if (manifest.recipients.includes(recipient)) continue;
      throw new CofferError('STANZA_UNLISTED', `a value is sealed to ${recipient}, which is not among the recipients`, {
        advice: `List it in spec.recipients, or remove its stanzas with \`coffer rewrap --remove ${recipient}\`.`,
        data: { ...placeOf(manifest), line, recipient, dataKeyId },
      });
    }
  }
}

type SealedEntry = Extract<Entry, { kind: 'sealed' }>;

/** The entries of `data` behind the names that are asked for. */
function neededEntries(manifest: Manifest, asked: ReadonlySet<string>): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const name of asked) {
    const parts = manifest.template.data.get(name);
    for (const entry of parts === undefined ? [name] : templateEntries(parts)) {
      if (!manifest.entries.has(entry)) throw unknownEntry(manifest, name, entry);
      needed.add(entry);
    }
  }
  return needed;
}

function sealedEntries(manifest: Manifest, names: ReadonlySet<string>): [string, SealedEntry][] {
  return [...manifest.entries].flatMap(([name, entry]): [string, SealedEntry][] => {
    if (!names.has(name)) return [];
    if (entry.kind === 'sealed') return [[name, entry]];
    throw new CofferError('MANIFEST_PLAINTEXT', `the value of ${name} is plaintext`, {
      advice: 'Run `coffer encrypt`; if it was committed or shared, replace the value: it is known.',
      data: { ...placeOf(manifest), line: entry.line, entry: name },
    });
  });
}

function openEntry(
  manifest: Manifest,
  opener: Opener,
  name: string,
  { text, dataKeyId, line }: SealedEntry,
  dataKeys: Map<string, Buffer>,
): Buffer {
  const dataKey =
    dataKeys.get(dataKeyId) ?? inManifest(manifest, { entry: name }, () => openDataKey(manifest, opener, dataKeyId));
  dataKeys.set(dataKeyId, dataKey);
  return inManifest(manifest, { line, entry: name }, () => openValue(text, dataKey, manifest.binding, name));
}

/** The stanza for the first of our names whose key we hold. Names come from the opener, never from the manifest. */
function chooseStanza(manifest: Manifest, opener: Opener, dataKeyId: string): { recipient: string; stanza: Stanza } {
  const ours = [...opener.recipients].filter((name) => manifest.recipients.includes(name));
  const stanzas = ours.flatMap((recipient) => {
    const stanza = manifest.stanzas.get(dataKeyId)?.get(recipient);
    return stanza === undefined ? [] : [{ recipient, stanza }];
  });
  for (const { recipient, stanza } of stanzas) {
    if (opener.holds(recipient, stanza.kid)) return { recipient, stanza };
  }
  throw ours.length === 0
    ? notForUs(manifest, opener)
    : stanzas[0] === undefined
      ? missingStanza(manifest, ours, dataKeyId)
      : unknownKey(manifest, stanzas[0], dataKeyId);
}

function notForUs(manifest: Manifest, opener: Opener): CofferError {
  const us = [...opener.recipients].join(', ');
  return new CofferError(
    'MANIFEST_NOT_FOR_US',
    us === '' ? 'none of the secret keys here is in the keyring' : `this manifest is not sealed to ${us}`,
    {
      advice: `Its recipients are ${manifest.recipients.join(', ')}: open it as one of them, or have one of them add you with \`coffer rewrap --add\`.`,
      data: placeOf(manifest),
    },
  );
}

function missingStanza(manifest: Manifest, ours: readonly string[], dataKeyId: string): CofferError {
  return new CofferError('STANZA_MISSING', `a value is not yet sealed to ${ours.join(', ')}`, {
    advice: 'Have a recipient who can open it run `coffer rewrap`, or set the value again.',
    data: { ...placeOf(manifest), recipient: ours[0], dataKeyId },
  });
}

function unknownKey(
  manifest: Manifest,
  { recipient, stanza }: { recipient: string; stanza: Stanza },
  dataKeyId: string,
): CofferError {
  return new CofferError('STANZA_UNKNOWN_KEY', `the secret key ${stanza.kid} of ${recipient} is not here`, {
    advice:
      'Put its file KID.key into the key directory; if the key is gone, have another recipient rewrap, or set the value again.',
    data: { ...placeOf(manifest), line: stanza.line, recipient, keyId: stanza.kid, dataKeyId },
  });
}

function unknownEntry(manifest: Manifest, asked: string, entry: string): CofferError {
  const known = [...manifest.entries.keys(), ...manifest.template.data.keys()].join(', ');
  return new CofferError(
    'MANIFEST_ENTRY_UNKNOWN',
    asked === entry
      ? `there is no entry ${entry}`
      : `the template ${asked} uses ${entry}, which is no entry of the data`,
    {
      advice: `Entries of this manifest: ${known}.`,
      data: { ...placeOf(manifest), entry },
      exit: asked === entry ? 2 : 3,
    },
  );
}

function placeOf({ file, line, namespace, name }: Manifest): ErrorData {
  return { file, line, namespace, name };
}

/** Gives an error its place: the line of what failed, else that of the manifest. */
function inManifest<Result>(manifest: Manifest, data: ErrorData, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw error instanceof CofferError ? error.at({ ...placeOf(manifest), ...data }) : error;
  }
}

function wipeAll(secrets: ReadonlyMap<string, Buffer>): void {
  for (const secret of secrets.values()) secret.fill(0);
}
