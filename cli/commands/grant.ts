import { Args, BaseCommand } from '../base-command.ts';
import { documentFlag, selectManifest } from '../input/select-document.ts';

export default class Grant extends BaseCommand {
  static override summary = 'let a workload read a manifest, or some of its entries';
  static override description =
    'Adds to `spec.readers` and changes nothing else; needs no secret key. Entries add to those that the reader has. READER is a ServiceAccount or workload of the manifest\'s namespace, "*" all of them.';
  static override examples = [
    '<%= config.bin %> grant payments-db.yaml payments-api',
    '<%= config.bin %> grant payments-db.yaml reports=username,password',
    "<%= config.bin %> grant shared-ca.yaml '*'",
  ];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }),
    reader: Args.string({ required: true, ignoreStdin: true, description: 'READER, or READER=ENTRY,…' }),
  };
  static override flags = { document: documentFlag };

  async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Grant);
    const { parseReader } = await import('../input/reader-argument.ts');
    const { reader, entries } = parseReader(args.reader);
    const { readManifests, writeManifests } = await import('../workspace/manifest-file.ts');
    const { grant } = await import('../../core/format/edit/grants.ts');

    const file = await readManifests(args.file);
    const index = selectManifest(file, flags.document);
    const text = grant(file, index, reader, entries);
    const changed = text !== file.text;
    if (changed) await writeManifests(args.file, text);

    const what = entries === undefined ? 'all entries' : entries.join(', ');
    this.note(changed ? `${reader} may read ${what}.` : `${reader} may read ${what} already; nothing was changed.`);
    return { file: args.file, reader, entries: entries ?? null, changed };
  }
}
