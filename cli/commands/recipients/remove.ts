import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { noCommitFlag } from '../../kubernetes/flags.ts';
import type { Removed } from '../../recipients/remove.ts';

export default class RecipientsRemove extends BaseCommand {
  static override summary = 'let a recipient open nothing that is committed from now on; commits that, too';
  static override description =
    `Takes NAME out of every manifest and rule, with its stanzas, and marks its keys revoked. Needs no secret key. What it could
open it may remember, and the history still holds it: the command lists it, so that you can replace those values.

With --clean its keys are only retired: for a cluster that is shut down in good order and whose keys are destroyed.`;
  static override examples = [
    'coffer recipients remove former-employee',
    {
      description: 'A cluster that is shut down in good order:',
      command: 'coffer recipients remove old-staging --clean',
    },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'the recipient' }),
  };
  static override flags = {
    clean: Flags.boolean({ description: 'its keys are destroyed, and nobody else has had them' }),
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsRemove);
    const [{ openWorkspace }, { removeRecipient }, { commitFiles }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/remove.ts'),
      import('../../git/commit.ts'),
    ]);
    const workspace = await openWorkspace();
    const status = flags.clean ? 'retired' : 'revoked';
    const removed = await removeRecipient(workspace, args.recipient, status, (error) => this.report(error));
    const commit = flags['no-commit']
      ? undefined
      : await commitFiles(workspace.root, removed.files, `Remove the recipient ${args.recipient}`);
    await this.#tell(args.recipient, status, removed);
    return { name: args.recipient, keys: status, ...removed, commit: commit ?? null, errors: this.reported };
  }

  async #tell(name: string, status: string, { manifests }: Removed): Promise<void> {
    this.say(`${this.emphasise(name)} is a recipient of nothing any more; its keys are ${status}`);
    for (const { manifest, path, entries } of manifests)
      this.say(`  could open ${manifest} (${path}): ${entries.join(', ')}`);
    if (status === 'retired') return;
    const { untilReplaced } = await import('../../recipients/what-follows.ts');
    this.note(untilReplaced(name));
  }
}
