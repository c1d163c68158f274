import { Args, BaseCommand } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';

export default class Unset extends BaseCommand {
  static override summary = 'remove one entry from a manifest; needs no secret key';
  static override description =
    `Removes the value and, when nothing else was sealed with it, its stanzas. Git's history keeps both: whoever could open
the entry before still can. To end that, change the secret where it is used.`;
  static override examples = ['coffer unset payments/payments-db.yaml password'];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }),
    entry: Args.string({ required: true, ignoreStdin: true, description: 'the entry' }),
  };
  static override flags = { document: documentFlag };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Unset);
    const [{ readManifests, writeManifests }, { manifestOf }, { unsetEntry }] = await Promise.all([
      import('../workspace/manifest-file.ts'),
      import('../input/select-document.ts'),
      import('../../core/format/edit/seal.ts'),
    ]);
    const file = await readManifests(args.file);
    const { manifest, index } = manifestOf(file, flags.document);
    await writeManifests(args.file, unsetEntry(file, index, args.entry));
    this.say(`removed ${this.emphasise(args.entry)} from ${args.file}`);
    if (manifest.rotation.has(args.entry)) {
      this.warn(`spec.rotation still names ${args.entry}, so that rotation makes it anew: remove that row, too`);
    }
    return { file: args.file, manifest: `${manifest.namespace}/${manifest.name}`, entry: args.entry };
  }
}
