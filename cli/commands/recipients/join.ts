import { Args, BaseCommand, keyDirectoryFlag } from '../../base-command.ts';
import { noCommitFlag } from '../../kubernetes/flags.ts';

export default class RecipientsJoin extends BaseCommand {
  static override summary = 'let somebody join a group, and commit it';
  static override description =
    `Seals the group's key to MEMBER and commits the group's file, the only one that changes: MEMBER can open what is sealed to the
group's active key. It takes the secret key of a member, since only members have the group's.`;
  static override examples = ['coffer recipients join payments-team bob'];
  static override args = {
    group: Args.string({ required: true, ignoreStdin: true, description: 'the group' }),
    member: Args.string({ required: true, ignoreStdin: true, description: 'who joins: a recipient of the keyring' }),
  };
  static override flags = { 'key-dir': keyDirectoryFlag, 'no-commit': noCommitFlag };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsJoin);
    const [{ openWorkspace }, { joinGroup }, { commitFiles }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/groups/group-members.ts'),
      import('../../git/commit.ts'),
    ]);
    const workspace = await openWorkspace();
    const file = await joinGroup(workspace, { ...args, keyDir: flags['key-dir'] });
    const message = `Let ${args.member} join the group ${args.group}`;
    const commit = flags['no-commit'] ? undefined : await commitFiles(workspace.root, [file], message);
    this.say(`${this.emphasise(args.member)} is in the group ${args.group}`);
    return { ...args, files: [file], commit: commit ?? null };
  }
}
