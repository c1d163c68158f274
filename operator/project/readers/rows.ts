import { entriesFor } from '../../../core/format/manifest/readers.ts';
import type { ProjectedSecret } from '../projector.ts';
import type { SecretReference } from './pod-references.ts';

/**
 * Who may read a Secret, as the SecretReaders object says it: `SERVICEACCOUNT` for all entries, `SERVICEACCOUNT/ENTRY` for
 * one, `*` for any ServiceAccount. Neither a ServiceAccount's name nor a key of a Secret can hold a slash. Sorted.
 */
export type Rows = readonly string[];

export function rowsOf(secret: Pick<ProjectedSecret, 'readers' | 'entries' | 'template'>): Rows {
  const all = secret.entries.size + secret.template.data.size;
  const rows = new Set<string>();
  for (const { name } of secret.readers) {
    const granted = entriesFor(secret, name);
    if (granted.size === all) rows.add(name);
    else for (const entry of granted) rows.add(`${name}/${entry}`);
  }
  return [...rows].sort();
}

/** What the policy's expression says, for pods that it has not seen (policy.ts). */
export function mayRefer(rows: Rows, account: string, { entries }: Pick<SecretReference, 'entries'>): boolean {
  const has = (reader: string) => rows.includes(reader);
  if (has('*') || has(account)) return true;
  return entries.length > 0 && entries.every((entry) => has(`${account}/${entry}`) || has(`*/${entry}`));
}
