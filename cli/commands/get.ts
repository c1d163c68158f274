import { Args, asFlag, BaseCommand, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';

export default class Get extends BaseCommand {
  static override summary = 'print one value, with a secret key';
  static override description =
    `Writes the bytes of the value to standard output, exactly. An entry of the template is rendered.

Nothing records that you read it: who may hold keys is decided when they are given out.`;
  static override examples = [
    'coffer get payments/payments-db.yaml password',
    {
      description: 'With the keys in another folder:',
      command: 'coffer get payments/payments-db.yaml password --key-dir ./production-keys',
    },
  ];
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'the manifest' }),
    entry: Args.string({ required: true, ignoreStdin: true, description: 'the entry' }),
  };
  static override flags = { 'key-dir': keyDirectoryFlag, as: asFlag, document: documentFlag };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Get);
    const [{ readManifests }, { openKeysFor }, { manifestOf }, { openManifest }, { writePlaintext }] =
      await Promise.all([
        import('../workspace/manifest-file.ts'),
        import('../workspace/open-keys.ts'),
        import('../input/select-document.ts'),
        import('../../core/opening/open-manifest.ts'),
        import('../render/plaintext-output.ts'),
      ]);
    const { manifest } = manifestOf(await readManifests(args.file), flags.document);
    const keys = await openKeysFor(args.file, flags);
    try {
      const opened = openManifest(manifest, keys.opener, [args.entry]);
      try {
        const value = opened.values.get(args.entry) ?? Buffer.alloc(0);
        if (!this.jsonEnabled()) await writePlaintext(value, undefined);
        const base64 = this.jsonEnabled() ? value.toString('base64') : undefined;
        return { file: args.file, manifest: `${manifest.namespace}/${manifest.name}`, entry: args.entry, base64 };
      } finally {
        opened.wipe();
      }
    } finally {
      keys.close();
    }
  }
}
