import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../../base-command.ts';
import { noCommitFlag } from '../../kubernetes/flags.ts';
import type { Asked } from '../../recipients/rotate/rotate-by-request.ts';
import type { RotatedOffline } from '../../recipients/rotate/rotate-offline.ts';

export default class RecipientsRotate extends BaseCommand {
  static override summary = 'have a recipient get a new key, or make it one';
  static override description =
    `For a cluster a request is committed to .coffer/requests/: its operator makes the key, endorses it with its identity, and seals
everything of its own to it. It pushes that, or publishes it for coffer recipients rewrap. The former key still opens, so
nothing stops working meanwhile.

Where the identity of RECIPIENT is in the key directory (a person, a recovery key, a group that you made, a cluster that is set up
offline) the key is made here at once, and what your keys open is sealed to it.

--revoke is for a key that somebody stole: it is revoked with this commit, all that was ever sealed to it counts as exposed
(coffer exposure), and nobody seals to RECIPIENT until the new key is there.`;
  static override examples = [
    'coffer recipients rotate production',
    {
      description: 'The key was stolen:',
      command: 'coffer recipients rotate production --revoke --reason "INC-4711: backup on a stolen laptop"',
    },
    { description: 'Your own key:', command: 'coffer recipients rotate alice' },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'the recipient' }),
  };
  static override flags = {
    revoke: Flags.boolean({ description: 'the key is in the wrong hands' }),
    reason: Flags.string({ description: 'one line for the record', helpValue: 'TEXT' }),
    request: Flags.boolean({ description: 'ask its operator, although its identity is here' }),
    'key-dir': keyDirectoryFlag,
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsRotate);
    const [{ openWorkspace, recipientOf }, { ownIdentity }, { checkReason }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/rotate/own-identity.ts'),
      import('../../recipients/rotate/reason.ts'),
    ]);
    const reason = checkReason(flags.reason);
    const workspace = await openWorkspace();
    const recipient = recipientOf(workspace, args.recipient);
    const identitySeed = flags.request ? undefined : await ownIdentity(workspace, recipient, flags['key-dir']);
    const { revoke } = flags;
    if (identitySeed === undefined) {
      const { rotateByRequest } = await import('../../recipients/rotate/rotate-by-request.ts');
      const asked = await rotateByRequest(workspace, recipient, { revoke, reason });
      const commit = await this.#commit(workspace.root, args.recipient, asked.files, flags);
      this.#tellAsked(args.recipient, asked, recipient.keys.filter(({ status }) => status === 'retired').length);
      return { name: args.recipient, ...asked, request: asked.request ?? null, revoked: asked.revoked ?? null, commit };
    }
    try {
      const { rotateOffline } = await import('../../recipients/rotate/rotate-offline.ts');
      const broken = (error: unknown) => this.report(error);
      const how = { identitySeed, formerStatus: revoke ? 'revoked' : 'retired', broken } as const;
      const rotated = await rotateOffline(workspace, recipient, { ...how, keyDir: flags['key-dir'] });
      const commit = await this.#commit(workspace.root, args.recipient, rotated.files, flags);
      this.#tellRotated(args.recipient, rotated);
      const refused = Object.fromEntries(rotated.refused);
      return {
        name: args.recipient,
        ...rotated,
        secret: rotated.secret ?? null,
        refused,
        commit,
        errors: this.reported,
      };
    } finally {
      identitySeed.fill(0);
    }
  }

  async #commit(
    root: string,
    name: string,
    files: readonly string[],
    flags: { revoke: boolean; reason?: string | undefined; 'no-commit': boolean },
  ): Promise<string | null> {
    if (flags['no-commit'] || files.length === 0) return null;
    const { commitFiles } = await import('../../git/commit.ts');
    const subject = flags.revoke ? `Revoke the key of ${name}, and rotate it` : `Rotate the key of ${name}`;
    const message = flags.reason === undefined ? subject : `${subject}\n\n${flags.reason}`;
    return (await commitFiles(root, files, message)) ?? null;
  }

  #tellAsked(name: string, { request, revoked, files }: Asked, retired: number): void {
    if (revoked !== undefined) {
      this.say(`the key ${revoked} of ${this.emphasise(name)} is revoked; nobody seals to ${name} for now`);
      this.note(`What it could ever open: coffer exposure --key ${revoked}`);
      if (retired > 0) {
        this.warn(`${retired} retired keys of ${name} stay as they are; if they lay beside it, revoke them as well`);
      }
    }
    if (request === undefined) {
      this.say(`its owner makes the new key: coffer recipients rotate ${name}`);
    } else {
      this.say(`asked the operator of ${this.emphasise(name)} for a new key: .coffer/requests/${request}.yaml`);
      this.note(`Push. Where the operator may not push: coffer recipients rewrap ${name} --from-cluster`);
    }
    if (files.length === 0) this.note('It was asked for already.');
  }

  #tellRotated(name: string, { keyId, secret, files, refused }: RotatedOffline): void {
    this.say(`${this.emphasise(name)} has a new key; ${files.length} files are sealed to it`);
    this.say(`  active key ${keyId}`);
    if (secret !== undefined) this.say(`  secret     ${secret}`);
    for (const [path, reason] of refused) this.warn(`${path} stays sealed to the former key: ${reason}`);
    if (refused.size > 0) this.answerNo();
  }
}
