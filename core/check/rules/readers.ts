import type { Manifest, Reader } from '../../format/manifest/manifest.ts';
import { entriesOfRotation, entryOfPrevious } from '../../format/manifest/rotation.ts';
import { templateEntries } from '../../format/manifest/template.ts';
import { command } from '../command.ts';
import { type Finding, finding } from '../finding.ts';

/** Readers that get less than somebody meant them to: docs/format.md, "A manifest". */
export function readerFindings(manifest: Manifest): Finding[] {
  const place = { file: manifest.file, namespace: manifest.namespace, name: manifest.name };
  if (manifest.readers.length === 0) {
    const { line } = manifest.document.position(['spec', 'readers']);
    return [
      finding(
        'CHECK_READERS_NONE',
        { ...place, line },
        {
          message: 'no workload may read it, so no operator projects it',
          advice: `Grant it: ${command('grant', manifest.file, 'WORKLOAD')}.`,
        },
      ),
    ];
  }
  return manifest.readers.flatMap((reader) => [...missingEntries(manifest, reader), ...missingParts(manifest, reader)]);
}

function missingEntries(manifest: Manifest, reader: Reader): Finding[] {
  return [...(reader.entries ?? [])]
    .filter((entry) => !exists(manifest, entry))
    .map((entry) =>
      finding(
        'CHECK_READER_ENTRY_UNKNOWN',
        { ...placeOf(manifest, reader), entry },
        {
          message: `reader ${reader.name} is granted ${entry}, which is no entry of this manifest`,
          advice: `Correct the name, or run ${command('revoke', manifest.file, `${reader.name}=${entry}`)}.`,
        },
      ),
    );
}

/** A template entry is given only to who may read everything in it; to name it alone has no effect. */
function missingParts(manifest: Manifest, reader: Reader): Finding[] {
  const granted = reader.entries;
  if (granted === undefined) return [];
  // What "*" may read adds to what each reader may.
  const everybody = manifest.readers.find((other) => other.name === '*');
  if (everybody !== undefined && everybody.entries === undefined) return [];
  return [...granted].flatMap((entry) => {
    const template = manifest.template.data.get(entry);
    if (template === undefined) return [];
    const missing = [...templateEntries(template)].filter(
      (part) => !granted.has(part) && everybody?.entries?.has(part) !== true,
    );
    if (missing.length === 0) return [];
    return [
      finding(
        'CHECK_READER_TEMPLATE_PARTS',
        { ...placeOf(manifest, reader), entry },
        {
          message: `reader ${reader.name} does not get ${entry}: it is made of ${missing.join(', ')} too`,
          advice: `Grant these as well: ${command('grant', manifest.file, `${reader.name}=${missing.join(',')}`)}.`,
        },
      ),
    ];
  });
}

/** `.previous` follows its entry, so a grant of it is one of something that a rotation may bring; as it may the entry itself. */
function exists(manifest: Manifest, entry: string): boolean {
  const base = entryOfPrevious(entry) ?? entry;
  const isMade = [...manifest.rotation.keys()].some((name) => entriesOfRotation(manifest, name).includes(base));
  return isMade || manifest.entries.has(entry) || manifest.entries.has(base) || manifest.template.data.has(entry);
}

function placeOf(manifest: Manifest, reader: Reader) {
  const row = rowOf(manifest.document.value, reader.name);
  const { line } = manifest.document.position(['spec', 'readers', ...(row === undefined ? [] : [row])]);
  return { file: manifest.file, line, namespace: manifest.namespace, name: manifest.name, workload: reader.name };
}

function rowOf(document: unknown, reader: string): number | undefined {
  const rows = (document as { spec: { readers: { name: string }[] } }).spec.readers;
  const row = rows.findIndex(({ name }) => name === reader);
  return row === -1 ? undefined : row;
}
