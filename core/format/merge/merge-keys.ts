/** Unites the stanzas of both sides of a merge. Which data keys stay is judged later, by the values that name them. */

import { field } from '../document/node.ts';
import { dataKeyLines } from '../edit/keys-layout.ts';
import { keySlots } from '../edit/keys-slots.ts';
import { TextEdits } from '../edit/text-edits.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { specOf } from '../manifest/manifest-nodes.ts';

/** Data key id → recipient → `KID:b64u`. */
type Stanzas = Map<string, Map<string, string>>;

/** One version of a manifest, in its file. */
export interface Version {
  file: ManifestFile;
  manifest: Manifest;
}

/** The stanzas of both sides; what one side removed from the base is gone, what one side replaced is replaced. */
export function unitedStanzas(base: Manifest | undefined, ours: Manifest, theirs: Manifest): Stanzas {
  const united: Stanzas = new Map();
  for (const id of new Set([...ours.stanzas.keys(), ...theirs.stanzas.keys()])) {
    const [was, our, their] = [base, ours, theirs].map((manifest) => manifest?.stanzas.get(id));
    const recipients = new Map<string, string>();
    for (const recipient of new Set([...(our?.keys() ?? []), ...(their?.keys() ?? [])])) {
      const [before, mine, other] = [was, our, their].map((stanzas) => stanzas?.get(recipient)?.text);
      // A side that dropped the data key as a whole says nothing of its stanzas: values decide that.
      const removed = before !== undefined && ((our && mine === undefined) || (their && other === undefined));
      const text = mine === before ? (other ?? mine) : (mine ?? other);
      if (!removed && text !== undefined) recipients.set(recipient, text);
    }
    if (recipients.size > 0) united.set(id, recipients);
  }
  return united;
}

/**
 * The lines under `keys` in the writer's layout (docs/format.md, "Data keys"), each data key in the slot where one of
 * the sides has it. `named` gives the data key of each entry afterwards, in the order of `data`.
 */
export function unitedLines(
  versions: readonly Version[],
  stanzas: Stanzas,
  named: ReadonlyMap<string, ReadonlySet<string>>,
  indent: string,
  unit: string,
): string[] {
  const homes = homesOf(versions);
  const entries = [...named.keys()];
  const unplaced = [...stanzas.keys()].filter((id) => homes.get(id) === undefined);
  const removed = new Set([...homes.values()].filter((entry) => entry !== undefined && !named.has(entry)));
  const blockOf = (id: string) => dataKeyLines({ id, stanzas: stanzas.get(id) ?? new Map() }, indent, unit);
  const lines = unplaced.flatMap(blockOf);
  for (const entry of [...entries, ...removed]) {
    const inSlot = [...stanzas.keys()].filter((id) => homes.get(id) === entry);
    if (inSlot.length === 0 && removed.has(entry)) continue;
    const isOwn = (id: string) => named.get(entry ?? '')?.has(id) ?? false;
    const comment = `${indent}# ${entry}`;
    lines.push(comment);
    // What the entry does not name comes first, and a comment follows it: see core/format/edit/keys-layout.ts.
    for (const id of inSlot.filter((id) => !isOwn(id))) lines.push(...blockOf(id), comment);
    for (const id of inSlot.filter(isOwn)) lines.push(...blockOf(id));
  }
  return lines;
}

/** Data key id → the entry in whose slot it stands; the first version that has it decides. */
function homesOf(versions: readonly Version[]): Map<string, string | undefined> {
  const homes = new Map<string, string | undefined>();
  for (const { file, manifest } of versions) {
    const keys = field(specOf(manifest), 'keys');
    if (keys?.kind !== 'mapping' || keys.flow) continue;
    for (const { entry, parts } of keySlots(new TextEdits(file.text), keys)) {
      for (const part of parts) {
        if (part.kind === 'data key' && !homes.has(part.id)) homes.set(part.id, entry);
      }
    }
  }
  return homes;
}
