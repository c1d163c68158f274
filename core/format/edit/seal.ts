/** Seals values in a file's text: docs/format.md, "Data keys" and "Edits". No secret key is needed for any of this. */
import { ENTRY } from '../../../schemas/grammar.ts';
import { type Random, systemRandom } from '../../crypto/random.ts';
import { Bug, CofferError } from '../../errors.ts';
import { field } from '../document/node.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { dataOf, manifestAt } from '../manifest/manifest-nodes.ts';
import type { SealingKey } from '../sealed/stanza.ts';
import { changeEntries } from './edit-entries.ts';
import { replaceScalar } from './edit-scalar.ts';
import { changeKeys } from './keys-layout.ts';
import { namedDataKeys, SealingRun } from './sealing-run.ts';
import { TextEdits } from './text-edits.ts';

/**
 * Seals every plaintext value of a file's manifests, each manifest's under one new data key, and wipes the plaintext
 * that the model held. Where there is none, the text comes back as it was. `keysFor` gives a key for each recipient
 * that the manifest lists.
 */
export function sealPlaintext(
  file: ManifestFile,
  keysFor: (manifest: Manifest) => readonly SealingKey[],
  random: Random = systemRandom,
): { text: string; sealed: { manifest: Manifest; entry: string }[] } {
  const edits = new TextEdits(file.text);
  const sealed: { manifest: Manifest; entry: string }[] = [];
  for (const manifest of file.manifests) {
    const plaintext = [...manifest.entries].filter(([, entry]) => entry.kind === 'plaintext');
    if (plaintext.length === 0) continue;
    const run = new SealingRun(manifest, keysFor(manifest), random);
    const data = dataOf(manifest);
    for (const [name, entry] of plaintext) {
      const node = field(data, name);
      if (entry.kind !== 'plaintext' || node?.kind !== 'scalar') throw new Bug('a plaintext entry without its text');
      replaceScalar(edits, node, run.seal(name, entry.bytes), data.flow);
      entry.bytes.fill(0);
      sealed.push({ manifest, entry: name });
    }
    run.writeKeys(edits, file.syntax);
  }
  return sealed.length === 0 ? { text: file.text, sealed } : { text: edits.result(), sealed };
}

/**
 * The file's new text with one value sealed, in the place of what was there or as the last entry. `plaintext` stays
 * the caller's to wipe. Throws ENTRY_NAME, ENTRY_TOO_MANY, TEMPLATE_NAME_TAKEN or SEALING_KEY_MISSING.
 */
export function setEntry(
  file: ManifestFile,
  manifestIndex: number,
  entry: string,
  plaintext: Uint8Array,
  keys: readonly SealingKey[],
  random: Random = systemRandom,
): string {
  const manifest = manifestAt(file, manifestIndex);
  checkNewEntry(manifest, entry);
  const edits = new TextEdits(file.text);
  const run = new SealingRun(manifest, keys, random);
  changeEntries(edits, manifest, file.syntax, new Map([[entry, run.seal(entry, plaintext)]]));
  run.writeKeys(edits, file.syntax);
  return edits.result();
}

/** The file's new text without one entry. Throws ENTRY_UNKNOWN. Templates that name it are the caller's concern. */
export function unsetEntry(file: ManifestFile, manifestIndex: number, entry: string): string {
  const manifest = manifestAt(file, manifestIndex);
  if (!manifest.entries.has(entry)) {
    throw new CofferError('ENTRY_UNKNOWN', `The manifest has no entry ${entry}.`, {
      advice: `Use one of ${[...manifest.entries.keys()].join(', ') || '(there is none)'}.`,
      data: { file: manifest.file, line: manifest.line, entry },
    });
  }
  const edits = new TextEdits(file.text);
  changeEntries(edits, manifest, file.syntax, new Map([[entry, undefined]]));
  const entries = namedDataKeys(manifest);
  entries.delete(entry);
  changeKeys(edits, manifest, file.syntax, { entries, touched: new Set([entry]) });
  return edits.result();
}

/** Throws ENTRY_NAME, TEMPLATE_NAME_TAKEN. */
export function checkNewEntry(manifest: Manifest, entry: string): void {
  const data = { file: manifest.file, line: manifest.line, entry };
  if (!new RegExp(ENTRY).test(entry)) {
    const advice = 'Use letters, digits, `-`, `_` and `.`, at most 253, not beginning with `..`.';
    throw new CofferError('ENTRY_NAME', 'This is not the name of an entry.', { advice, data, exit: 2 });
  }
  if (manifest.template.data.has(entry)) {
    const advice = 'Use another name, or remove the template.';
    throw new CofferError('TEMPLATE_NAME_TAKEN', `${entry} is already a template.`, { advice, data });
  }
}
