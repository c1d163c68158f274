import type { Manifest } from './manifest.ts';
import { entryOfPrevious } from './rotation.ts';
import { templateEntries } from './template.ts';

/**
 * The names (of data and of templates) that a workload of the manifest's namespace gets; empty if it is no reader.
 * A template is given only to who may read its name and every entry in it (docs/format.md, "A manifest").
 */
export function entriesFor(
  manifest: Pick<Manifest, 'readers' | 'entries' | 'template'>,
  workload: string,
): ReadonlySet<string> {
  const rows = manifest.readers.filter(({ name }) => name === workload || name === '*');
  const allowed = (name: string) => {
    const entry = entryOfPrevious(name) ?? name;
    return rows.some(({ entries }) => entries === undefined || entries.has(entry));
  };
  const granted = new Set([...manifest.entries.keys()].filter(allowed));
  for (const [name, parts] of manifest.template.data) {
    if (allowed(name) && [...templateEntries(parts)].every(allowed)) granted.add(name);
  }
  return granted;
}
