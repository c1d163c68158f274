import type { Recipient } from '../../../core/keys/recipient.ts';
import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../../base-command.ts';
import { noCommitFlag } from '../../kubernetes/flags.ts';
import type { Stolen } from '../../recipients/rotate/revoke-keys.ts';
import type { Workspace } from '../../workspace/workspace.ts';

/** As `--json` has it, whoever makes the key. */
interface Rotated {
  name: string;
  /** Id of the request to its operator; null: there is none, or the key was made here. */
  request: string | null;
  /** Ids of the keys that are revoked from now on. */
  revoked: readonly string[];
  /** Of the new key; null: it is not made here. */
  keyId: string | null;
  /** Path of the secret key; null: it is not made here, or a group's. */
  secret: string | null;
  /** Paths that were written or removed, from the root. */
  files: readonly string[];
  /** What stays sealed to the former key: path → why. */
  refused: Readonly<Record<string, string>>;
}

const NOTHING_MADE = { keyId: null, secret: null, refused: {} };

export default class RecipientsRotate extends BaseCommand {
  static override summary = 'have a recipient get a new key, or make it one, and commit it';
  static override description =
    `For a cluster a request is committed to .coffer/requests/: its operator makes the key, endorses it with its identity, and seals
everything of its own to it. It pushes that, or publishes it for coffer recipients rewrap. The former key still opens, so
nothing stops working meanwhile.

Where the identity of RECIPIENT is in the key directory (a person, a recovery key, a group that you made, a cluster that is set up
offline) the key is made here at once, and what your keys open is sealed to it.

--revoke is for keys that somebody stole: all that RECIPIENT has, retired ones too, since they lie beside the active one. They are
revoked with this commit, all that was ever sealed to them counts as exposed (coffer exposure), and nobody seals to RECIPIENT
until the new key is there. With --key only those are revoked; where the active one is not among them, no new key is made, and
sealing goes on.`;
  static override examples = [
    'coffer recipients rotate production',
    {
      description: 'The key was stolen:',
      command: 'coffer recipients rotate production --revoke --reason "INC-4711: backup on a stolen laptop"',
    },
    {
      description: 'A former key was stolen, from an old backup:',
      command: 'coffer recipients rotate production --revoke --key 9f86d081',
    },
    { description: 'Your own key:', command: 'coffer recipients rotate alice' },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'the recipient' }),
  };
  static override flags = {
    revoke: Flags.boolean({ description: 'its keys are in the wrong hands' }),
    key: Flags.string({
      description: 'only this key is: its id, or the beginning of it; repeat it for more',
      helpValue: 'KID',
      multiple: true,
      dependsOn: ['revoke'],
    }),
    reason: Flags.string({ description: 'one line for the record', helpValue: 'TEXT' }),
    request: Flags.boolean({ description: 'ask its operator, although its identity is here' }),
    'key-dir': keyDirectoryFlag,
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsRotate);
    const [{ openWorkspace, recipientOf }, { checkReason }, { stolenKeys }, { groupsKnownTo }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/rotate/reason.ts'),
      import('../../recipients/rotate/revoke-keys.ts'),
      import('../../recipients/groups/known-groups.ts'),
    ]);
    const reason = checkReason(flags.reason);
    const workspace = await openWorkspace();
    const recipient = recipientOf(workspace, args.recipient);
    const stolen = flags.revoke ? stolenKeys(recipient, flags.key) : undefined;
    const rotated =
      (await this.#offline(workspace, recipient, stolen, flags)) ??
      (await this.#byRequest(workspace, recipient, stolen, reason));
    const commit = await this.#commit(workspace.root, rotated, stolen, reason, flags);
    const groups = groupsKnownTo(workspace.keyring, recipient, rotated.revoked);
    await this.#tell(rotated, stolen, groups);
    return { ...rotated, groups, commit, errors: this.reported };
  }

  async #byRequest(
    workspace: Workspace,
    recipient: Recipient,
    stolen: Stolen | undefined,
    reason: string | undefined,
  ): Promise<Rotated> {
    const { rotateByRequest } = await import('../../recipients/rotate/rotate-by-request.ts');
    const { request, files } = await rotateByRequest(workspace, recipient, { stolen, reason });
    const revoked = stolen?.kids ?? [];
    return { name: recipient.name, request: request ?? null, revoked, files, ...NOTHING_MADE };
  }

  /** Undefined: it is not to have a new key, or its identity is not here. */
  async #offline(
    workspace: Workspace,
    recipient: Recipient,
    stolen: Stolen | undefined,
    flags: { request: boolean; 'key-dir'?: string | undefined },
  ): Promise<Rotated | undefined> {
    if (flags.request || stolen?.isFollowed === false) return undefined;
    const [{ ownIdentity }, { rotateOffline }] = await Promise.all([
      import('../../recipients/rotate/own-identity.ts'),
      import('../../recipients/rotate/rotate-offline.ts'),
    ]);
    const identitySeed = await ownIdentity(workspace, recipient, flags['key-dir']);
    if (identitySeed === undefined) return undefined;
    try {
      const revoked = stolen?.kids ?? [];
      const how = { identitySeed, revoked, keyDir: flags['key-dir'], broken: (error: unknown) => this.report(error) };
      const { keyId, secret, files, refused } = await rotateOffline(workspace, recipient, how);
      const made = { keyId, secret: secret ?? null, files, refused: Object.fromEntries(refused) };
      return { name: recipient.name, request: null, revoked, ...made };
    } finally {
      identitySeed.fill(0);
    }
  }

  async #commit(
    root: string,
    { name, revoked, files }: Rotated,
    stolen: Stolen | undefined,
    reason: string | undefined,
    flags: { 'no-commit': boolean },
  ): Promise<string | null> {
    if (flags['no-commit'] || files.length === 0) return null;
    const { commitFiles } = await import('../../git/commit.ts');
    const what = revoked.length === 1 ? 'the key' : `${revoked.length} keys`;
    const rotate = stolen?.isFollowed === false ? '' : ', and rotate it';
    const subject = revoked.length === 0 ? `Rotate the key of ${name}` : `Revoke ${what} of ${name}${rotate}`;
    const keys = revoked.map((kid) => `Key: ${kid}`).join('\n');
    const message = [subject, reason ?? '', keys].filter((part) => part !== '').join('\n\n');
    return (await commitFiles(root, files, message)) ?? null;
  }

  async #tell(rotated: Rotated, stolen: Stolen | undefined, groups: readonly string[]): Promise<void> {
    const { name, request, revoked, keyId, secret, files, refused } = rotated;
    const [{ count }, { untilReplaced }] = await Promise.all([
      import('../../render/count.ts'),
      import('../../recipients/what-follows.ts'),
    ]);
    if (keyId !== null) {
      this.say(`${this.emphasise(name)} has a new key; ${count(files.length, 'file')} changed for it`);
      this.say(`  active key ${keyId}`);
      if (secret !== null) this.say(`  secret     ${secret}`);
    } else if (revoked.length > 0) {
      const meanwhile = stolen?.isFollowed ? `nobody seals to ${name} for now` : `${name} keeps its active key`;
      this.say(`revoked ${count(revoked.length, 'key')} of ${this.emphasise(name)}; ${meanwhile}`);
    }
    for (const kid of revoked) this.say(`  revoked    ${kid}`);
    if (request !== null) {
      this.say(`asked the operator of ${this.emphasise(name)} for a new key: .coffer/requests/${request}.yaml`);
    } else if (keyId === null && stolen?.isFollowed) {
      this.say(`its owner makes the new key: coffer recipients rotate ${name}`);
    }
    for (const [path, reason] of Object.entries(refused))
      this.warn(`${path} stays sealed to the former key: ${reason}`);
    if (Object.keys(refused).length > 0) this.answerNo();
    const then = keyId === null && stolen?.isFollowed ? `, once ${name} has its new key` : '';
    for (const group of groups)
      this.warn(`whoever has these has the key of ${group}, too: coffer recipients rotate ${group} --revoke${then}`);
    if (revoked.length > 0) this.note(untilReplaced(name, revoked));
    if (request !== null)
      this.note(
        `Push. Where the operator may not push: coffer recipients rewrap ${name} --from-cluster, or --from-file`,
      );
    if (files.length === 0) this.note(stolen?.isFollowed === false ? 'Nothing to do.' : 'It was asked for already.');
  }
}
