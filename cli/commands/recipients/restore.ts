import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../../base-command.ts';
import { placeFlags } from '../../kubernetes/flags.ts';

export default class RecipientsRestore extends BaseCommand {
  static override summary = 'get back a key that an operator deleted, with a recovery key';
  static override description =
    `Before an operator deletes a key (coffer recipients retire) it seals it to the recovery recipients, and keeps that beside itself and
in its state directory. With a recovery key this opens it and stores KID.key: with that in the key directory old commits open again.`;
  static override examples = [
    {
      description: 'From a cluster:',
      command:
        'coffer recipients restore 9f86d081 --from-cluster --context production --key-dir /media/recovery --to keys',
    },
    {
      description: "From a plain host's file:",
      command: 'coffer recipients restore 9f86d081 --from-file 9f86d081.json --key-dir /media/recovery',
    },
  ];
  static override args = {
    key: Args.string({ required: true, ignoreStdin: true, description: 'its id, or the beginning of it' }),
  };
  static override flags = {
    ...placeFlags,
    'from-cluster': Flags.boolean({ description: 'from beside its operator', exclusive: ['from-file'] }),
    'key-dir': keyDirectoryFlag,
    to: Flags.string({ description: 'the folder that gets it (default: the key directory)', helpValue: 'DIR' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsRestore);
    const [{ openWorkspace }, { restoreKey }, { publishedPlace }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/deletion/restore-key.ts'),
      import('../../published/place.ts'),
    ]);
    const place = publishedPlace(flags);
    const where = { keyDir: flags['key-dir'], to: flags.to };
    const { kid, recipient, file } = await restoreKey(await openWorkspace(), args.key, place, where);
    this.say(`restored a key of ${this.emphasise(recipient)}`);
    this.say(`  secret     ${file}`);
    return { key: kid, name: recipient, file };
  }
}
