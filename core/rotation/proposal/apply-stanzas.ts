import { changeStanzas } from '../../format/edit/edit-recipients.ts';
import { namedDataKeys } from '../../format/edit/sealing-run.ts';
import { TextEdits } from '../../format/edit/text-edits.ts';
import type { Manifest, ManifestFile } from '../../format/manifest/manifest.ts';
import { manifestProblems } from '../../format/manifest/read-manifest.ts';
import type { RecipientKey } from '../../keys/recipient.ts';

/** Newest first; undefined: the keyring has no such recipient. */
export type KeysOf = readonly RecipientKey[] | undefined;

/** Of a stanza, before the colon. */
export const KEY_ID_LENGTH = 32;

/** A file with the stanzas that fit its manifests. A manifest that cannot be read stays as it is, and holds the others back in nothing. */
export async function withStanzas(
  bytes: Buffer,
  path: string,
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>,
  keysOf: (recipient: string) => Promise<KeysOf>,
): Promise<Buffer> {
  return withStanzasIn(manifestProblems(bytes, path).file, bytes, stanzas, keysOf);
}

/** The same of a file that was read already. */
export async function withStanzasIn(
  file: ManifestFile,
  bytes: Buffer,
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>,
  keysOf: (recipient: string) => Promise<KeysOf>,
): Promise<Buffer> {
  const edits = new TextEdits(file.text);
  let isChanged = false;
  for (const manifest of file.manifests) {
    const fitting = await fittingStanzas(manifest, stanzas, keysOf);
    if (fitting.size === 0) continue;
    changeStanzas(edits, file.syntax, manifest, fitting, new Set());
    isChanged = true;
  }
  return isChanged ? Buffer.from(edits.result()) : bytes;
}

async function fittingStanzas(
  manifest: Manifest,
  stanzas: ReadonlyMap<string, ReadonlyMap<string, string>>,
  keysOf: (recipient: string) => Promise<KeysOf>,
): Promise<Map<string, Map<string, string>>> {
  const fitting = new Map<string, Map<string, string>>();
  for (const id of new Set(namedDataKeys(manifest).values())) {
    if (id === undefined) continue;
    const there = manifest.stanzas.get(id);
    const rows = new Map<string, string>();
    for (const [recipient, text] of stanzas.get(id) ?? []) {
      if (!manifest.recipients.includes(recipient)) continue;
      if (mayReplace(text, there?.get(recipient)?.kid, await keysOf(recipient))) rows.set(recipient, text);
    }
    if (rows.size > 0) fitting.set(id, rows);
  }
  return fitting;
}

/**
 * Whether what is sealed to one of a recipient's keys may take the place of what is sealed to another, or stand where nothing is:
 * where it is the active one, which is the newest. What is there for the same key is as good.
 */
export function mayReplace(text: string, thereKid: string | undefined, keys: KeysOf): boolean {
  const kid = text.slice(0, KEY_ID_LENGTH);
  return kid !== thereKid && keys?.find((key) => key.kid === kid)?.status === 'active';
}
