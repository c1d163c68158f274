import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../../base-command.ts';

export default class RecipientsCreate extends BaseCommand {
  static override summary = 'make a recipient: its keys on this machine, its public part in the keyring';
  static override description =
    `Makes an identity and a key pair. The secrets go to the key directory (mode 0600); the public part goes to
.coffer/recipients/NAME.yaml, which is committed; and you trust it from now on, because you made it.

A cluster's key directory is what its operator reads: copy it to where the operator runs, or make it there. A group has
members instead of a key directory of its own: each member opens with its own key.`;
  static override examples = [
    { description: 'Your own key:', command: 'coffer recipients create alice --type person' },
    {
      description: "A cluster's key, to be moved to its operator:",
      command: 'coffer recipients create production --type cluster --key-dir ./production-keys',
    },
    {
      description: 'A group of people:',
      command: 'coffer recipients create payments-team --type group --member alice --member bob',
    },
  ];
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'its name: lower-case, as a DNS label' }),
  };
  static override flags = {
    type: Flags.string({
      required: true,
      options: ['cluster', 'person', 'recovery', 'group'],
      description: 'what it is',
    }),
    member: Flags.string({
      description: 'a member of the group; repeat it',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    creator: Flags.string({
      description: "whose identity vouches for the group's keys (default: the one in your key directory)",
      helpValue: 'NAME',
    }),
    'key-dir': keyDirectoryFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsCreate);
    const [{ openWorkspace }, { makeGroup, makeRecipient }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../workspace/make-recipient.ts'),
    ]);
    const workspace = await openWorkspace();
    const { name } = args;
    const made =
      flags.type === 'group'
        ? await makeGroup(workspace, {
            name,
            members: flags.member ?? [],
            creator: flags.creator,
            keyDir: flags['key-dir'],
          })
        : await makeRecipient(workspace, {
            name,
            type: flags.type,
            members: flags.member ?? [],
            keyDir: flags['key-dir'],
          });
    this.say(`made ${made.file} (${flags.type} ${this.emphasise(name)})`);
    this.say(`  identity   ${made.identity}`);
    this.say(`  active key ${made.keyId}`);
    for (const path of made.secrets) this.say(`  secret     ${path}`);
    this.note(`Commit ${made.file}. Others compare the identity with you: coffer recipients pin ${name}`);
    return { name, type: flags.type, ...made };
  }
}
