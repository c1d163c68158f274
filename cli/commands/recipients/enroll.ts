import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { noCommitFlag, placeFlags } from '../../kubernetes/flags.ts';

export default class RecipientsEnroll extends BaseCommand {
  static override summary = 'take a cluster whose operator waits to be known into the keyring, and commit it';
  static override description =
    `An operator makes its cluster's identity and key at its first start, and announces the public part. This fetches it, checks that
it holds together, shows the identity, and asks whether it is the one that the operator's log says. Then it is pinned,
written to .coffer/recipients/NAME.yaml, and that file is committed.

The new cluster can open nothing yet: coffer recipients add NAME --like OTHER lets it open what another can.`;
  static override examples = [
    'coffer recipients enroll staging --context staging',
    {
      description: 'Without a terminal, with the identity from the operator’s log:',
      command: 'coffer recipients enroll staging --kubeconfig staging.kubeconfig --identity "$IDENTITY"',
    },
    {
      description: 'A host without Kubernetes:',
      command: 'coffer recipients enroll edge-1 --from-file recipient.yaml',
    },
  ];
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'the cluster: as its operator is configured' }),
  };
  static override flags = {
    ...placeFlags,
    identity: Flags.string({ description: 'its identity, from its operator’s log', helpValue: 'coffer-identity-1-…' }),
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsEnroll);
    const [{ openWorkspace }, { fetchRecipient }, { enroll }, { commitFiles }, { identityText }, { activeKey }] =
      await Promise.all([
        import('../../workspace/workspace.ts'),
        import('../../published/fetch-recipient.ts'),
        import('../../recipients/enrol/enroll.ts'),
        import('../../git/commit.ts'),
        import('../../../core/keys/key-texts.ts'),
        import('../../../core/keys/recipient.ts'),
      ]);
    const workspace = await openWorkspace();
    const file = flags['from-file'];
    const recipient = await fetchRecipient(args.name, file === undefined ? flags : { file });
    const changed = await enroll(workspace, recipient, flags.identity);
    const { name } = recipient;
    const commit = flags['no-commit']
      ? undefined
      : await commitFiles(
          workspace.root,
          [recipient.file],
          `Enrol ${name}\n\nIdentity: ${identityText(recipient.identity)}`,
        );
    const keyId = activeKey(recipient)?.kid;
    this.say(`${changed ? 'enrolled' : 'already enrolled'} ${this.emphasise(name)}`);
    this.say(`  identity   ${identityText(recipient.identity)}`);
    this.say(`  active key ${keyId}`);
    if (commit !== undefined) this.say(`  commit     ${commit}`);
    if (changed) this.note(`It can open nothing yet: coffer recipients add ${name} --like OTHER`);
    return {
      name,
      identity: identityText(recipient.identity),
      keyId,
      file: recipient.file,
      changed,
      commit: commit ?? null,
    };
  }
}
