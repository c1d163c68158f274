import { Args, BaseCommand } from '../../base-command.ts';

export default class RecipientsSigner extends BaseCommand {
  static override summary = 'print the line of allowed signers by which a trust policy knows a recipient';
  static override description =
    `An operator that may push signs its commits with the identity of its cluster, an Ed25519 key. This prints it as ssh-keygen's
allowed signers have it, for the signers of a trust policy, and for git itself (gpg.ssh.allowedSignersFile). Only for a
recipient whose identity you have pinned.`;
  static override examples = [
    'coffer recipients signer production >> signers',
    {
      description: 'A policy then says what it may change:',
      command: 'coffer recipients signer production  # grants: - {signers: [production], may: [stanzas, values]}',
    },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'the recipient' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args } = await this.parse(RecipientsSigner);
    const [{ openWorkspace, recipientOf }, { requirePinned }, { ed25519Blob }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../../core/keys/sealing-keys.ts'),
      import('../../../core/signatures/ssh/sign-message.ts'),
    ]);
    const workspace = await openWorkspace();
    const recipient = recipientOf(workspace, args.recipient);
    requirePinned(workspace.pins, recipient);
    const key = `ssh-ed25519 ${ed25519Blob(recipient.identity).toString('base64')}`;
    const line = `${recipient.name} namespaces="git" ${key}`;
    this.say(line);
    return { name: recipient.name, signer: recipient.name, key, line };
  }
}
