import type { Keyring } from '../../../core/keys/keyring.ts';
import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../../base-command.ts';
import { noCommitFlag } from '../../kubernetes/flags.ts';
import type { Left } from '../../recipients/groups/group-members.ts';

export default class RecipientsLeave extends BaseCommand {
  static override summary = 'let somebody leave a group, and commit it';
  static override description =
    `Who leaves knows the group's key for ever. So the group gets a new one, endorsed by its creator's identity and sealed to those
who stay; what your keys open of the group's is sealed to it; and the former keys that MEMBER has are revoked: all that was
ever sealed to them counts as exposed (coffer exposure) until it is replaced. The command lists what MEMBER could open, of
all commits that the clone has.

With --clean the former key is only retired: for who leaves the group and stays trusted with what was in it.`;
  static override examples = ['coffer recipients leave payments-team bob'];
  static override args = {
    group: Args.string({ required: true, ignoreStdin: true, description: 'the group' }),
    member: Args.string({ required: true, ignoreStdin: true, description: 'who leaves' }),
  };
  static override flags = {
    clean: Flags.boolean({ description: 'who leaves stays trusted with the past' }),
    'key-dir': keyDirectoryFlag,
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsLeave);
    const [{ openWorkspace }, { leaveGroup }, { commitFiles }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/groups/group-members.ts'),
      import('../../git/commit.ts'),
    ]);
    const workspace = await openWorkspace();
    const formerKey = flags.clean ? 'retired' : 'revoked';
    const how = { formerKey, keyDir: flags['key-dir'], broken: (error: unknown) => this.report(error) } as const;
    const left = await leaveGroup(workspace, { ...args, ...how });
    const message = `Let ${args.member} leave the group ${args.group}`;
    const commit = flags['no-commit'] ? undefined : await commitFiles(workspace.root, left.files, message);
    await this.#tell(args, formerKey, left);
    if (isCreator(workspace.keyring, args)) {
      this.warn(
        `the identity of ${args.group} is ${args.member}’s, who can go on making keys for it: make another group, and put it in its place (coffer recipients replace ${args.group} NEW)`,
      );
    }
    const refused = Object.fromEntries(left.refused);
    return {
      ...args,
      formerKey,
      ...left,
      readable: left.readable ?? null,
      refused,
      commit: commit ?? null,
      errors: this.reported,
    };
  }

  async #tell({ group, member }: { group: string; member: string }, formerKey: string, left: Left): Promise<void> {
    this.say(`${this.emphasise(member)} has left the group ${group}, which has a new key`);
    this.say(`  active key ${left.keyId}`);
    for (const [manifest, rows] of Map.groupBy(left.readable ?? [], (row) => row.manifest)) {
      const paths = new Set(rows.flatMap((row) => row.paths));
      this.say(`  could open ${manifest} (${[...paths].join(', ')}): ${rows.map(({ entry }) => entry).join(', ')}`);
    }
    for (const [path, reason] of left.refused) this.warn(`${path} stays sealed to the former key: ${reason}`);
    if (left.refused.size > 0) this.answerNo();
    if (left.readable === undefined)
      this.warn(`this clone does not have all commits, which tell what ${member} could open`);
    if (formerKey === 'retired') return;
    const { untilReplaced } = await import('../../recipients/what-follows.ts');
    this.note(untilReplaced(group));
  }
}

function isCreator({ recipients }: Keyring, { group, member }: { group: string; member: string }): boolean {
  const [made, leaver] = [recipients.get(group), recipients.get(member)];
  return made !== undefined && leaver?.identity.equals(made.identity) === true;
}
