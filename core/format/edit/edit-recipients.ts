/** Who a manifest is sealed to: the list of recipients, and their stanzas (docs/format.md, "Data keys"). */
import { Bug } from '../../errors.ts';
import { field } from '../document/node.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { manifestAt, recipientsOf, specOf } from '../manifest/manifest-nodes.ts';
import { setNames } from './edit-list.ts';
import { changeRows } from './edit-rows.ts';
import { namedDataKeys } from './sealing-run.ts';
import { TextEdits } from './text-edits.ts';

/** Data key id → recipient → `KID:b64u`. */
export type Stanzas = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Lists these recipients, of whom those that are listed keep their places; adds or replaces stanzas, and removes all
 * stanzas of some recipients.
 */
export function readdress(
  file: ManifestFile,
  manifestIndex: number,
  names: readonly string[],
  add: Stanzas,
  remove: Iterable<string>,
): string {
  const manifest = manifestAt(file, manifestIndex);
  const edits = new TextEdits(file.text);
  setNames(edits, file.syntax, recipientsOf(manifest), names);
  changeStanzas(edits, file.syntax, manifest, add, new Set(remove));
  return edits.result();
}

export function changeStanzas(
  edits: TextEdits,
  syntax: 'yaml' | 'json',
  manifest: Manifest,
  add: Stanzas,
  remove: ReadonlySet<string>,
): void {
  const keys = field(specOf(manifest), 'keys');
  const named = new Set(namedDataKeys(manifest).values());
  const pairs = keys?.kind === 'mapping' ? keys.pairs : [];
  for (const { key, value } of pairs) {
    if (key.kind !== 'scalar' || value.kind !== 'mapping') continue;
    const rows = changeRows(edits, syntax, value, add.get(key.text) ?? new Map(), remove);
    // Where no value names it, it is another writer's leftover, which `changeKeys` drops.
    if (rows === 'nothingLeft' && named.has(key.text)) throw new Bug('a data key that nobody could open any more');
  }
}
