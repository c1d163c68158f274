import { type Random, systemRandom } from '../crypto/random.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { CofferError } from '../errors.ts';
import { checkNewEntry } from '../format/edit/seal.ts';
import { SealingRun } from '../format/edit/sealing-run.ts';
import { type Manifest, type ManifestFile, sealedText } from '../format/manifest/manifest.ts';
import { manifestAt } from '../format/manifest/manifest-nodes.ts';
import { entriesOfRotation, type Generate, previousOf } from '../format/manifest/rotation.ts';
import { templateEntries } from '../format/manifest/template.ts';
import type { SealingKey } from '../format/sealed/stanza.ts';
import { type OpenedManifest, openingKeys, openManifest, refusePlaintext } from '../opening/open-manifest.ts';
import type { Opener } from '../opening/opener.ts';
import type { ProposedValue } from '../rotation/proposal.ts';
import { generate } from './generate/generate.ts';
import { changedByHand, changedByRotator, formerUnproven, previousNeedsKey, rotationUnknown } from './refusals.ts';

export interface RotateOptions {
  /** One for each listed recipient. */
  keys: readonly SealingKey[];
  now: Date;
  /** Needed where a former value is kept: it is bound to its entry, so it is opened, and sealed as ENTRY.previous. */
  opener?: Opener | undefined;
  /** Entry → plaintext, which stays the caller's to wipe: what a rotator made, the entry's own among them. Absent: generated. */
  values?: ReadonlyMap<string, Uint8Array>;
  /** False: no former value stays, whatever the manifest says. */
  keepPrevious?: boolean;
  /** Whether an ENTRY.previous that is there is a rotation's: others are neither replaced nor removed. Absent: all are. */
  isRotated?: (previous: string) => boolean;
  random?: Random;
}

/** What one run made of one manifest: it goes into a `Proposal` as it is, or into the file by `placeValues`. */
export interface RotatedValues {
  values: readonly ProposedValue[];
  /** Data key id → recipient → `KID:b64u`. */
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/**
 * New values for entries of one manifest, and for what goes with them (`public`, other entries that a rotator sets), the former
 * ones as ENTRY.previous: all in one run, under one data key. `path` of the values is `file.file`. Nothing but new: what was
 * there is opened only where it is kept.
 *
 * @throws CofferError ROTATE_UNKNOWN, ROTATE_BY_HAND, ROTATE_BY_ROTATOR, ROTATE_PREVIOUS_NEEDS_KEY, ROTATE_FORMER_UNPROVEN,
 *   MANIFEST_PLAINTEXT, ENTRY_NAME, TEMPLATE_NAME_TAKEN, SEALING_KEY_MISSING, and what `openManifest` throws
 */
export async function rotateEntries(
  file: ManifestFile,
  index: number,
  entries: readonly string[],
  options: RotateOptions,
): Promise<RotatedValues> {
  await sodiumReady();
  const manifest = manifestAt(file, index);
  refusePlaintext(manifest);
  const run = new SealingRun(manifest, options.keys, options.random ?? systemRandom);
  const made = new Map<string, Buffer>();
  const isRotated = options.isRotated ?? (() => true);
  let former: OpenedManifest | undefined;
  try {
    for (const entry of entries) await makeValue(manifest, entry, options, made);
    for (const entry of made.keys()) checkNewEntry(manifest, entry);
    const kept = options.keepPrevious === false ? [] : keptEntries(manifest, entries, made.keys());
    for (const name of kept.map(previousOf)) {
      if (manifest.entries.has(name) && !isRotated(name)) throw formerUnproven(manifest, name);
    }
    former = openFormer(manifest, kept, options.opener);
    const texts = new Map<string, string | undefined>();
    for (const [entry, value] of made) {
      texts.set(entry, run.seal(entry, value));
      const previous = previousOf(entry);
      const before = former?.values.get(entry);
      if (before !== undefined) texts.set(previous, run.seal(previous, before));
      else if (canGo(manifest, previous) && isRotated(previous)) texts.set(previous, undefined);
    }
    const { id, stanzas } = run.finish();
    return { values: proposed(manifest, texts), stanzas: new Map([[id, stanzas]]) };
  } finally {
    run.wipe();
    former?.wipe();
    for (const value of made.values()) value.fill(0);
  }
}

/** Whether a run that makes these entries keeps a former value: only that takes a secret key. */
export function keepsFormer(manifest: Manifest, entries: readonly string[]): boolean {
  const made = entries.flatMap((entry) => entriesOfRotation(manifest, entry));
  return keptEntries(manifest, entries, made).length > 0;
}

/**
 * Former values of these entries, and of what is made with them, go. Those that a template names stay, and those that no rotation left
 * (`isRotated`, as in RotateOptions).
 */
export function retirePrevious(
  manifest: Manifest,
  entries: readonly string[],
  isRotated: (previous: string) => boolean = () => true,
): ProposedValue[] {
  const names = entries.flatMap((entry) => entriesOfRotation(manifest, entry)).map(previousOf);
  const going = names.filter((name) => canGo(manifest, name) && isRotated(name));
  return proposed(manifest, new Map(going.map((name) => [name, undefined])));
}

/** Whether there is such a former value and the manifest holds together without it. */
function canGo(manifest: Manifest, previous: string): boolean {
  if (!manifest.entries.has(previous)) return false;
  return ![...manifest.template.data.values()].some((parts) => templateEntries(parts).has(previous));
}

/** How an entry is generated. Throws ROTATE_UNKNOWN, ROTATE_BY_HAND, ROTATE_BY_ROTATOR. */
export function generateOf(manifest: Manifest, entry: string): Generate {
  const rotation = manifest.rotation.get(entry);
  if (rotation === undefined) throw rotationUnknown(manifest, entry);
  if (rotation.generate !== undefined) return rotation.generate;
  throw rotation.rotator === undefined
    ? changedByHand(manifest, entry)
    : changedByRotator(manifest, entry, rotation.rotator);
}

async function makeValue(
  manifest: Manifest,
  entry: string,
  { values, now }: RotateOptions,
  made: Map<string, Buffer>,
): Promise<void> {
  if (values !== undefined) {
    if (!manifest.rotation.has(entry)) throw rotationUnknown(manifest, entry);
    for (const [name, value] of values) made.set(name, Buffer.from(value));
    return;
  }
  const wanted = generateOf(manifest, entry);
  const { value, public: publicPart } = await generate(wanted, now);
  made.set(entry, value);
  if (publicPart !== undefined && wanted.public !== undefined) made.set(wanted.public, publicPart);
}

/** Of what is made, that of which a former value is there and stays. */
function keptEntries(manifest: Manifest, entries: readonly string[], made: Iterable<string>): string[] {
  const keeps = (entry: string) => manifest.rotation.get(entry)?.keepPrevious !== undefined;
  const own = new Map(entries.flatMap((entry) => entriesOfRotation(manifest, entry).map((name) => [name, entry])));
  const [first = ''] = entries;
  return [...made].filter((name) => manifest.entries.has(name) && keeps(own.get(name) ?? first));
}

/** Throws ROTATE_PREVIOUS_NEEDS_KEY where this opener cannot open them, and what `openManifest` throws of damaged ones. */
function openFormer(
  manifest: Manifest,
  entries: readonly string[],
  opener: Opener | undefined,
): OpenedManifest | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  if (opener === undefined) throw previousNeedsKey(manifest, first);
  try {
    openingKeys(manifest, opener, entries);
  } catch (error) {
    throw error instanceof CofferError ? previousNeedsKey(manifest, first, error) : error;
  }
  return openManifest(manifest, opener, entries);
}

function proposed(manifest: Manifest, texts: ReadonlyMap<string, string | undefined>): ProposedValue[] {
  const { file: path, namespace, name } = manifest;
  return Array.from(texts, ([entry, text]) => {
    const former = sealedText(manifest, entry);
    return {
      path,
      namespace,
      name,
      entry,
      ...(former === undefined ? {} : { former }),
      ...(text === undefined ? {} : { text }),
    };
  });
}
