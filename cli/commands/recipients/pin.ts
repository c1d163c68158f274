import { Args, BaseCommand, Flags } from '../../base-command.ts';

export default class RecipientsPin extends BaseCommand {
  static override summary = "compare a recipient's identity, and trust it from now on";
  static override description =
    `What is in the keyring was put there by whoever could push. Pinning is your own word that NAME's identity is really NAME's:
get the identity from its owner over another channel, and compare.

Pins are kept in your own configuration, or in the file that COFFER_PINS names.`;
  static override examples = [
    { description: 'Compare by eye, at a terminal:', command: 'coffer recipients pin production' },
    {
      description: 'Let coffer compare with what the owner gave you:',
      command: 'coffer recipients pin production --identity "$IDENTITY"',
    },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'the recipient' }),
  };
  static override flags = {
    identity: Flags.string({ description: 'its identity, from its owner', helpValue: 'coffer-identity-1-…' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsPin);
    const [{ confirmIdentity }, { openWorkspace, recipientOf }, { checkPin }, { identityText }] = await Promise.all([
      import('../../recipients/enrol/confirm-identity.ts'),
      import('../../workspace/workspace.ts'),
      import('../../../core/keys/pins.ts'),
      import('../../../core/keys/key-texts.ts'),
    ]);
    const workspace = await openWorkspace();
    const recipient = recipientOf(workspace, args.recipient);
    const identity = identityText(recipient.identity);
    const before = checkPin(workspace.pins, recipient);
    await confirmIdentity(workspace, recipient, flags.identity);
    this.say(`${before === 'pinned' ? 'already pinned' : 'pinned'} ${this.emphasise(recipient.name)} ${identity}`);
    return { name: recipient.name, identity, before, file: workspace.pinsFile };
  }
}
