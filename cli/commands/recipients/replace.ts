import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { addFlags } from '../../kubernetes/flags.ts';
import { count } from '../../render/count.ts';

export default class RecipientsReplace extends BaseCommand {
  static override summary = 'let a recipient take the place of another, and commit it';
  static override description =
    `As coffer recipients add NEW --like OLD, and where NEW can then open everything, coffer recipients remove OLD. Where something
is still pending OLD stays: run it again with --collect when the operator of OLD has made the stanzas.`;
  static override examples = [
    {
      description: 'With the stanzas that the operator of the old one made:',
      command: '<%= config.bin %> recipients replace old-production production --collect --context old-production',
    },
    {
      description: 'With the recovery key, when the old cluster is gone:',
      command: 'coffer recipients replace old-production production --key-dir /media/recovery',
    },
  ];
  static override args = {
    old: Args.string({ required: true, ignoreStdin: true, description: 'who goes' }),
    new: Args.string({ required: true, ignoreStdin: true, description: 'who takes its place' }),
  };
  static override flags = {
    ...addFlags,
    clean: Flags.boolean({ description: 'the keys of OLD are destroyed, and nobody else has had them' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsReplace);
    const [{ openWorkspace }, { addAsAsked }, { removeRecipient }, { commitFiles }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/enrol/add-as-asked.ts'),
      import('../../recipients/remove.ts'),
      import('../../git/commit.ts'),
    ]);
    const broken = (error: unknown) => this.report(error);
    const { added, refused } = await addAsAsked(
      await openWorkspace(),
      { name: args.new, like: args.old },
      flags,
      broken,
    );
    for (const [path, reason] of refused) this.warn(`the operator could not open ${path}: ${reason}`);
    const isDone = added.pending.length === 0 && added.groups.length === 0;
    const status = flags.clean ? 'retired' : 'revoked';
    const removed = isDone ? await removeRecipient(await openWorkspace(), args.old, status, broken) : undefined;
    const files = [...new Set([...added.files, ...(removed?.files ?? [])])];
    const message = isDone
      ? `Let ${args.new} take the place of ${args.old}`
      : `Let ${args.new} open what ${args.old} can`;
    const { root } = await openWorkspace();
    const commit = flags['no-commit'] ? undefined : await commitFiles(root, files, message);
    if (isDone)
      this.say(
        `${this.emphasise(args.new)} took the place of ${args.old} in ${count(added.manifests.length, 'manifest')}`,
      );
    else this.#tellWaiting(args, added.pending.length, added.groups);
    return {
      ...{ old: args.old, new: args.new, manifests: added.manifests, pending: added.pending, removed: isDone },
      ...{ request: added.request?.id ?? null, commit: commit ?? null, errors: this.reported },
    };
  }

  #tellWaiting(args: { old: string; new: string }, pending: number, groups: readonly string[]): void {
    this.say(`${args.new} cannot open ${count(pending, 'manifest')} yet, so ${args.old} stays`);
    for (const group of groups) this.warn(`${args.old} is in the group ${group}, which your keys do not open`);
    this.note(`Push, and when its operator has seen it: coffer recipients replace ${args.old} ${args.new} --collect`);
    this.answerNo();
  }
}
