import { CofferError } from '../../errors.ts';
import { placeValues } from '../../format/edit/place-values.ts';
import type { Manifest, ManifestFile } from '../../format/manifest/manifest.ts';
import { readManifestFile } from '../../format/manifest/read-manifest.ts';
import { parseSealedValue } from '../../format/sealed/value.ts';
import { KEY_ID_LENGTH, type KeysOf } from './apply-stanzas.ts';
import type { Proposal, ProposedValue } from './proposal.ts';

/** A file with the values that fit its manifests, those of one manifest together or not at all. */
export async function withValues(
  bytes: Buffer,
  path: string,
  { values, stanzas }: Proposal,
  keysOf: (recipient: string) => Promise<KeysOf>,
): Promise<Buffer> {
  let current = bytes;
  const own = values.filter((value) => value.path === path);
  for (const of of Map.groupBy(own, ({ namespace, name }) => `${namespace}/${name}`).values()) {
    current = (await withManifestValues(current, path, of, stanzas, keysOf)) ?? current;
  }
  return current;
}

/** Undefined where one of them does not fit, or all are there. */
async function withManifestValues(
  bytes: Buffer,
  path: string,
  values: readonly ProposedValue[],
  stanzas: Proposal['stanzas'],
  keysOf: (recipient: string) => Promise<KeysOf>,
): Promise<Buffer | undefined> {
  try {
    const file = readManifestFile(bytes, path);
    const index = indexOf(file, values[0]);
    const manifest = file.manifests[index];
    if (manifest === undefined || !values.every((value) => fits(manifest, value))) return undefined;
    const missing = values.filter((value) => textIn(manifest, value.entry) !== value.text);
    for (const { text } of missing) {
      if (text !== undefined && !(await opensForAll(manifest, text, stanzas, keysOf))) return undefined;
    }
    if (missing.length === 0) return undefined;
    const texts = new Map(missing.map(({ entry, text }) => [entry, text]));
    return Buffer.from(placeValues(file, index, texts, stanzas));
  } catch (error) {
    // A file that is broken meanwhile, an entry whose name a template has taken: for a person, and then anew.
    if (error instanceof CofferError) return undefined;
    throw error;
  }
}

function indexOf(file: ManifestFile, value: ProposedValue | undefined): number {
  return file.manifests.findIndex(({ namespace, name }) => namespace === value?.namespace && name === value.name);
}

/** As it was when the value was made, or as it should be. */
function fits(manifest: Manifest, { entry, former, text }: ProposedValue): boolean {
  const there = textIn(manifest, entry);
  return there === former || there === text;
}

/** Plaintext that waits to be sealed is no text that any value is proposed for. */
function textIn({ entries }: Manifest, entry: string): string | undefined {
  const there = entries.get(entry);
  return there?.kind === 'plaintext' ? 'plaintext' : there?.text;
}

/**
 * A data key is new, and has a stanza for each listed recipient, none for a key that was revoked. Where somebody is listed
 * meanwhile, the value would be lost to them; so it is made anew.
 */
async function opensForAll(
  manifest: Manifest,
  text: string,
  stanzas: Proposal['stanzas'],
  keysOf: (recipient: string) => Promise<KeysOf>,
): Promise<boolean> {
  const { dataKeyId } = parseSealedValue(text);
  if (manifest.stanzas.has(dataKeyId)) return false;
  const rows = stanzas.get(dataKeyId);
  for (const recipient of manifest.recipients) {
    const kid = rows?.get(recipient)?.slice(0, KEY_ID_LENGTH);
    const key = (await keysOf(recipient))?.find((one) => one.kid === kid);
    if (key === undefined || key.status === 'revoked') return false;
  }
  return true;
}
