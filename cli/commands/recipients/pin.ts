import { CofferError } from '../../../core/errors.ts';
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
  static override args = { name: Args.string({ required: true, ignoreStdin: true, description: 'the recipient' }) };
  static override flags = {
    identity: Flags.string({ description: 'its identity, from its owner', helpValue: 'coffer-identity-1-…' }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsPin);
    const [{ pin }, { openWorkspace, recipientOf }, { checkPin }, { identityText, parseIdentity }] = await Promise.all([
      import('../../workspace/pinning.ts'),
      import('../../workspace/workspace.ts'),
      import('../../../core/keys/pins.ts'),
      import('../../../core/keys/key-texts.ts'),
    ]);
    const workspace = await openWorkspace();
    const recipient = recipientOf(workspace, args.name);
    const identity = identityText(recipient.identity);
    const before = checkPin(workspace.pins, recipient);

    if (flags.identity !== undefined) {
      if (!parseIdentity(flags.identity.trim()).equals(recipient.identity))
        throw differs(recipient.name, recipient.file);
      await pin(workspace, recipient);
    } else if (before !== 'pinned') {
      const [{ canAsk }, { askToPin }] = await Promise.all([
        import('../../input/prompt.ts'),
        import('../../workspace/pinning.ts'),
      ]);
      if (!canAsk()) throw needsIdentity(recipient.name);
      await askToPin(workspace, recipient, before);
    }
    this.say(`${before === 'pinned' ? 'already pinned' : 'pinned'} ${this.emphasise(recipient.name)} ${identity}`);
    return { name: recipient.name, identity, before, file: workspace.pinsFile };
  }
}

function differs(name: string, file: string): CofferError {
  return new CofferError(
    'PIN_DIFFERS',
    `the identity of ${name} in the keyring is not the one that you gave; nothing was pinned`,
    {
      advice: 'Ask its owner again; if yours is right, somebody put another key into the keyring.',
      data: { recipient: name, file },
      exit: 1,
    },
  );
}

function needsIdentity(name: string): CofferError {
  return new CofferError('PIN_NEEDS_IDENTITY', 'without a terminal there is nobody to compare the identity', {
    advice: `Run \`coffer recipients pin ${name} --identity TEXT\` with the identity from its owner.`,
    data: { recipient: name },
    exit: 2,
  });
}
