import { READER } from '../../../schemas/grammar.ts';
import { CofferError } from '../../errors.ts';
import type { Manifest, ManifestFile, Reader } from '../manifest/manifest.ts';
import { manifestAt } from '../manifest/manifest-nodes.ts';
import { templateEntries } from '../manifest/template.ts';
import { removeReader, setReader } from './edit-readers.ts';

/** The file's text with more for a reader: these entries beside those that it has, or (undefined) all of them. */
export function grant(
  file: ManifestFile,
  index: number,
  reader: string,
  entries: readonly string[] | undefined,
): string {
  const manifest = manifestAt(file, index);
  refuseMalformed(manifest, reader);
  refuseUnknown(manifest, entries ?? []);
  const has = readerOf(manifest, reader);
  if (has !== undefined && has.entries === undefined) return file.text;
  if (entries === undefined) return setReader(file, index, reader, undefined);
  const all = new Set([...(has?.entries ?? []), ...entries]);
  return all.size === has?.entries?.size ? file.text : setReader(file, index, reader, [...all]);
}

/**
 * The file's text with less for a reader: without these entries, or (undefined) without the reader. One that has all
 * entries keeps the others by name. Throws READER_UNKNOWN.
 */
export function revoke(
  file: ManifestFile,
  index: number,
  reader: string,
  entries: readonly string[] | undefined,
): string {
  const manifest = manifestAt(file, index);
  const has = readerOf(manifest, reader);
  if (has === undefined) {
    const readers = manifest.readers.map(({ name }) => name).join(', ');
    throw new CofferError('READER_UNKNOWN', `${reader} is no reader of ${manifest.namespace}/${manifest.name}`, {
      advice: readers === '' ? 'It has no readers.' : `Its readers are: ${readers}.`,
      data: { ...placeOf(manifest), workload: reader },
      exit: 2,
    });
  }
  if (entries === undefined) return removeReader(file, index, reader);
  const without = new Set(entries);
  // An entry that was removed may still be granted, and then has to be revocable.
  refuseUnknown(
    manifest,
    entries.filter((entry) => has.entries?.has(entry) !== true),
  );
  const left = [...(has.entries ?? withoutPartsOf(manifest, without))].filter((entry) => !without.has(entry));
  if (left.length === 0) return removeReader(file, index, reader);
  return left.length === has.entries?.size ? file.text : setReader(file, index, reader, left);
}

/** All names but templates that need what is revoked: to name those would grant nothing. */
function withoutPartsOf(manifest: Manifest, revoked: ReadonlySet<string>): string[] {
  const templates = [...manifest.template.data]
    .filter(([, parts]) => ![...templateEntries(parts)].some((entry) => revoked.has(entry)))
    .map(([name]) => name);
  return [...manifest.entries.keys(), ...templates];
}

function readerOf(manifest: Manifest, reader: string): Reader | undefined {
  return manifest.readers.find(({ name }) => name === reader);
}

function refuseMalformed(manifest: Manifest, reader: string): void {
  if (new RegExp(READER).test(reader)) return;
  throw new CofferError('READER_NAME', `${JSON.stringify(reader)} is no name of a workload`, {
    advice:
      'Name a ServiceAccount or workload (lower-case letters, digits, `-` and `.`), or `*` for all in the namespace.',
    data: placeOf(manifest),
    exit: 2,
  });
}

function refuseUnknown(manifest: Manifest, entries: readonly string[]): void {
  const unknown = entries.find((entry) => !manifest.entries.has(entry) && !manifest.template.data.has(entry));
  if (unknown === undefined) return;
  const known = [...manifest.entries.keys(), ...manifest.template.data.keys()].join(', ');
  throw new CofferError('READER_ENTRY_UNKNOWN', `${manifest.namespace}/${manifest.name} has no entry ${unknown}`, {
    advice: `Its entries are: ${known}.`,
    data: { ...placeOf(manifest), entry: unknown },
    exit: 2,
  });
}

function placeOf({ file, line, namespace, name }: Manifest) {
  return { file, line, namespace, name };
}
