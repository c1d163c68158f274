/** Seals values in a file's text: docs/format.md, "Data keys" and "Edits". No secret key is needed for any of this. */
import { ENTRY, LIMITS } from '../../../schemas/grammar.ts';
import { type Random, systemRandom } from '../../crypto/random.ts';
import { Bug, CofferError } from '../../errors.ts';
import { field, type MappingNode, pairOf } from '../document/node.ts';
import { nameText } from '../document/scalar-text.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { dataOf, manifestAt, specOf } from '../manifest/manifest-nodes.ts';
import type { SealingKey } from '../sealed/stanza.ts';
import { FlowEditor } from './edit-flow.ts';
import { replaceScalar } from './edit-scalar.ts';
import { changeKeys, endOfContent } from './keys-layout.ts';
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
  const sealed = run.seal(entry, plaintext);
  const data = dataOf(manifest);
  const node = field(data, entry);
  if (node?.kind === 'scalar') replaceScalar(edits, node, sealed, data.flow);
  else appendEntry(edits, manifest, data, file.syntax, entry, sealed);
  run.writeKeys(edits, file.syntax);
  return edits.result();
}

/** The file's new text without one entry. Throws ENTRY_UNKNOWN. Templates that name it are the caller's concern. */
export function unsetEntry(file: ManifestFile, manifestIndex: number, entry: string): string {
  const manifest = manifestAt(file, manifestIndex);
  const data = dataOf(manifest);
  const index = data.pairs.findIndex(({ key }) => key.kind === 'scalar' && key.text === entry);
  const pair = data.pairs[index];
  if (pair === undefined) {
    throw new CofferError('ENTRY_UNKNOWN', `The manifest has no entry ${entry}.`, {
      advice: `Use one of ${[...manifest.entries.keys()].join(', ') || '(there is none)'}.`,
      data: { file: manifest.file, line: manifest.line, entry },
    });
  }
  const edits = new TextEdits(file.text);
  if (data.flow) new FlowEditor(edits, file.syntax).change(data, new Set([index]), new Map());
  else edits.deleteLines(pair.key.start, pair.value.end);
  if (!data.flow && data.pairs.length === 1) edits.insert(keyEnd(edits, manifest), ' {}');
  const entries = namedDataKeys(manifest);
  entries.delete(entry);
  changeKeys(edits, manifest, file.syntax, { entries, touched: new Set([entry]) });
  return edits.result();
}

/** Right after `data:`. */
function keyEnd(edits: TextEdits, manifest: Manifest): number {
  const pair = pairOf(specOf(manifest), 'data');
  if (pair === undefined) throw new Bug('a manifest without data');
  return edits.afterColon(pair.key);
}

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
  if (!manifest.entries.has(entry) && manifest.entries.size >= LIMITS.entries) {
    const advice = 'Put it into another manifest.';
    throw new CofferError('ENTRY_TOO_MANY', `A manifest has at most ${LIMITS.entries} entries.`, { advice, data });
  }
}

function appendEntry(
  edits: TextEdits,
  manifest: Manifest,
  data: MappingNode,
  syntax: 'yaml' | 'json',
  entry: string,
  sealed: string,
): void {
  const spec = specOf(manifest);
  if (!data.flow) {
    const indent = edits.indentAt(data.start);
    edits.insertLines(endOfContent(edits, data, indent), [`${indent}${nameText(entry)}: ${sealed}`]);
  } else if (data.pairs.length === 0 && !spec.flow) {
    // `data: {}`: block style from the first entry on.
    const indent = edits.indentAt(spec.start);
    edits.delete(keyEnd(edits, manifest), data.end);
    edits.insertLines(edits.lines.endOf(data.end), [`${indent}${indent || '  '}${nameText(entry)}: ${sealed}`]);
  } else {
    new FlowEditor(edits, syntax).change(data, new Set(), new Map([[entry, sealed]]));
  }
}
