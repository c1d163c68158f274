import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { addFlags } from '../../kubernetes/flags.ts';
import type { Added } from '../../recipients/enrol/add-like.ts';
import { count } from '../../render/count.ts';

export default class RecipientsAdd extends BaseCommand {
  static override summary = 'let a recipient open everything that another can, and commit it';
  static override description =
    `NAME becomes a recipient of every manifest and rule that --like is in. Where your keys open a manifest (as its recipient, or
with the recovery key) it is sealed to NAME at once. For the rest a request is committed to .coffer/requests/: the operator
of the other cluster makes the stanzas, if its pins hold the identity of NAME, and publishes them, which are ciphertext.
After it has seen the commit, the same command with --collect fetches them and puts them into the manifests.`;
  static override examples = [
    'coffer recipients add staging --like production',
    {
      description: 'With the stanzas that the operator of production made:',
      command: 'coffer recipients add staging --like production --collect --context production',
    },
    {
      description: 'With the recovery key, for a cluster that takes the place of one that is gone:',
      command: 'coffer recipients add new-production --like production --key-dir /media/recovery',
    },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'who is to open them' }),
  };
  static override flags = {
    like: Flags.string({ required: true, description: 'the recipient that can open them', helpValue: 'OTHER' }),
    ...addFlags,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsAdd);
    const [{ openWorkspace }, { addAsAsked }, { commitFiles }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/enrol/add-as-asked.ts'),
      import('../../git/commit.ts'),
    ]);
    const workspace = await openWorkspace();
    const wanted = { name: args.recipient, like: flags.like };
    const { added, refused } = await addAsAsked(workspace, wanted, flags, (error) => this.report(error));
    const message = `Let ${args.recipient} open what ${flags.like} can`;
    const commit = flags['no-commit'] ? undefined : await commitFiles(workspace.root, added.files, message);
    this.#tell(args.recipient, flags.like, added);
    for (const [path, reason] of refused) this.warn(`the operator could not open ${path}: ${reason}`);
    if (added.pending.length > 0 && flags.collect) this.answerNo();
    const request = added.request?.id ?? null;
    return { ...wanted, ...added, request, commit: commit ?? null, errors: this.reported };
  }

  #tell(name: string, like: string, { manifests, pending, groups, request }: Added): void {
    if (manifests.length === 0) this.note(`${like} is a recipient of no manifest here.`);
    this.say(
      `${this.emphasise(name)} is a recipient of ${count(manifests.length, 'manifest')}, and can open ${manifests.length - pending.length}`,
    );
    for (const group of groups) {
      this.warn(
        `${like} is in the group ${group}, which your keys do not open: let one of its members run this as well`,
      );
    }
    if (request === undefined) return;
    this.say(`asked the operator of ${like} for the other ${pending.length}: .coffer/requests/${request.id}.yaml`);
    this.note(
      [
        `It seals only for identities in its own pins: let who runs ${like} confirm ${name} there.`,
        `Push, and then: coffer recipients add ${name} --like ${like} --collect`,
      ].join('\n'),
    );
  }
}
