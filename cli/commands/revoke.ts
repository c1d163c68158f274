import { Args, BaseCommand } from '../base-command.ts';
import { documentFlag, selectManifest } from '../input/select-document.ts';

export default class Revoke extends BaseCommand {
  static override summary = 'let a workload no longer read a manifest, or some of its entries';
  static override description =
    'Removes from `spec.readers` and changes nothing else; needs no secret key. Operators take the files away; what the workload has read it may remember, so replace a value that it must not know.';
  static override examples = [
    '<%= config.bin %> revoke payments-db.yaml reports',
    '<%= config.bin %> revoke payments-db.yaml reports=password',
  ];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }),
    reader: Args.string({ required: true, ignoreStdin: true, description: 'READER, or READER=ENTRY,…' }),
  };
  static override flags = { document: documentFlag };

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Revoke);
    const { parseReader } = await import('../input/reader-argument.ts');
    const { reader, entries } = parseReader(args.reader);
    const { readManifests, writeManifests } = await import('../workspace/manifest-file.ts');
    const { revoke } = await import('../../core/format/edit/grants.ts');
    const { readManifestFile } = await import('../../core/format/manifest/read-manifest.ts');
    const { entriesFor } = await import('../../core/format/manifest/readers.ts');

    const file = await readManifests(args.file);
    const index = selectManifest(file, flags.document);
    const text = revoke(file, index, reader, entries);
    const changed = text !== file.text;
    if (changed) await writeManifests(args.file, text);

    const after = readManifestFile(Buffer.from(text), args.file).manifests[index];
    const left = after === undefined || reader === '*' ? [] : [...entriesFor(after, reader)];
    if (!changed) this.note(`${reader} could not read ${entries?.join(', ') ?? 'it'}; nothing was changed.`);
    else
      this.note(
        left.length === 0 ? `${reader} reads nothing of it any more.` : `${reader} still reads ${left.join(', ')}.`,
      );
    return { file: args.file, reader, entries: entries ?? null, changed, left };
  }
}
