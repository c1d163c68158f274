/** Puts values into a file that were sealed elsewhere, with the stanzas of their data keys. */
import { CofferError } from '../../errors.ts';
import type { Manifest, ManifestFile } from '../manifest/manifest.ts';
import { manifestAt } from '../manifest/manifest-nodes.ts';
import { readManifestFile } from '../manifest/read-manifest.ts';
import { parseSealedValue } from '../sealed/value.ts';
import { changeEntries, type EntryTexts, entriesAfter } from './edit-entries.ts';
import type { Stanzas } from './edit-recipients.ts';
import { changeKeys } from './keys-layout.ts';
import { checkNewEntry } from './seal.ts';
import { namedDataKeys } from './sealing-run.ts';
import { TextEdits } from './text-edits.ts';

/**
 * The file's new text: these entries have these sealed texts or are gone, their data keys have these stanzas, and what no value
 * names any more is dropped. Stanzas of data keys that no given text names are left out, and those of recipients that the manifest
 * does not list.
 *
 * @throws CofferError VALUE_WITHOUT_STANZAS, VALUE_* of texts that are not sealed, ENTRY_NAME, ENTRY_TOO_MANY, TEMPLATE_NAME_TAKEN, and what reading
 *   the result throws where templates name an entry that went
 */
export function placeValues(file: ManifestFile, index: number, values: EntryTexts, stanzas: Stanzas): string {
  let current = file;
  for (const batch of byDataKey(values)) {
    const text = placeBatch(current, index, batch, stanzas);
    current = readManifestFile(Buffer.from(text), file.file);
  }
  return current.text;
}

interface Batch {
  dataKeyId: string | undefined;
  texts: Map<string, string | undefined>;
}

/** The layout takes one data key at a time, as one run has one. What goes, goes with the first. */
function byDataKey(values: EntryTexts): Batch[] {
  const batches = new Map<string | undefined, Batch>();
  for (const [entry, text] of values) {
    const dataKeyId = text === undefined ? undefined : parseSealedValue(text).dataKeyId;
    const batch = batches.get(dataKeyId) ?? { dataKeyId, texts: new Map() };
    batches.set(dataKeyId, batch);
    batch.texts.set(entry, text);
  }
  const removed = batches.get(undefined);
  const [first, ...rest] = [...batches.values()].filter(({ dataKeyId }) => dataKeyId !== undefined);
  if (first === undefined) return removed === undefined ? [] : [removed];
  return [{ ...first, texts: new Map([...first.texts, ...(removed?.texts ?? [])]) }, ...rest];
}

function placeBatch(file: ManifestFile, index: number, { dataKeyId, texts }: Batch, stanzas: Stanzas): string {
  const manifest = manifestAt(file, index);
  for (const [entry, text] of texts) if (text !== undefined) checkNewEntry(manifest, entry);
  const edits = new TextEdits(file.text);
  changeEntries(edits, manifest, file.syntax, texts);
  const named = namedDataKeys(manifest);
  const entries = new Map(
    entriesAfter(manifest, texts).map((entry) => [entry, texts.has(entry) ? dataKeyId : named.get(entry)]),
  );
  const touched = new Set(texts.keys());
  if (dataKeyId === undefined || manifest.stanzas.has(dataKeyId)) {
    changeKeys(edits, manifest, file.syntax, { entries, touched });
  } else {
    const added = { id: dataKeyId, stanzas: stanzasOf(manifest, dataKeyId, stanzas) };
    changeKeys(edits, manifest, file.syntax, { entries, touched, added });
  }
  return edits.result();
}

function stanzasOf(manifest: Manifest, dataKeyId: string, stanzas: Stanzas): Map<string, string> {
  const listed = new Map([...(stanzas.get(dataKeyId) ?? [])].filter(([name]) => manifest.recipients.includes(name)));
  if (listed.size > 0) return listed;
  const { file, line, namespace, name } = manifest;
  throw new CofferError('VALUE_WITHOUT_STANZAS', 'a sealed value came without anything that opens it', {
    advice: 'Take it whole from where it was made: values and stanzas belong together.',
    data: { file, line, namespace, name, dataKeyId },
  });
}
