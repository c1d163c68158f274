import type { Recipient } from '../../../core/keys/recipient.ts';
import { Args, BaseCommand } from '../../base-command.ts';
import { noCommitFlag } from '../../kubernetes/flags.ts';
import type { Hanging } from '../../recipients/deletion/hanging.ts';

/** More lines than a screen has help nobody. */
const MOST_LINES = 20;

export default class RecipientsRetire extends BaseCommand {
  static override summary = 'have an operator delete a key on which nothing hangs any more; commits that';
  static override description =
    `Looks through the newest commit of every branch, remote-tracking ones too, and of every tag in this clone, so fetch first. Where
something still needs the key, it is listed, with exit code 1, and nothing changes. Else a request is committed to
.coffer/requests/: the operator looks by itself (objects in its cluster, other repositories), waits for some time, seals the
key to the recovery recipients, and deletes it. The keyring goes on listing it, as the history is read with it.`;
  static override examples = ['coffer recipients retire 9f86d081884c7d659a2feaa0c55ad015'];
  static override args = {
    key: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'a key that is retired or revoked: its id, or the beginning of it',
    }),
  };
  static override flags = { 'no-commit': noCommitFlag };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsRetire);
    const [{ openWorkspace }, { retire }, { commitFiles }] = await Promise.all([
      import('../../workspace/workspace.ts'),
      import('../../recipients/deletion/retire.ts'),
      import('../../git/commit.ts'),
    ]);
    const workspace = await openWorkspace();
    const { kid, recipient, hanging, requests, request, files, hasRecovery } = await retire(workspace, args.key);
    const result = { key: kid, name: recipient.name, hanging, requests };
    if (request === undefined) {
      this.#tellHanging(recipient, kid, hanging, requests);
      return { ...result, request: null, commit: null };
    }
    const message = `Delete a former key of ${recipient.name}\n\nKey: ${kid}`;
    const commit = flags['no-commit'] ? undefined : await commitFiles(workspace.root, files, message);
    this.say(`nothing here hangs on ${kid}; asked the operator of ${this.emphasise(recipient.name)} to delete it`);
    if (!hasRecovery) {
      this.warn(
        'the keyring has no recovery recipient, to whom an operator seals a key before it deletes it: it will refuse',
      );
    }
    this.note('Push; its status says what it waits for.');
    return { ...result, request, commit: commit ?? null };
  }

  #tellHanging({ name, type }: Recipient, key: string, hanging: readonly Hanging[], requests: readonly string[]): void {
    this.say(`${key} of ${this.emphasise(name)} is still needed, by ${hanging.length + requests.length}:`);
    for (const { path, what, refs } of hanging.slice(0, MOST_LINES)) {
      const others = refs.length > 3 ? `, and ${refs.length - 3} more` : '';
      this.say(`  ${what} (${path}) in ${refs.slice(0, 3).join(', ')}${others}`);
    }
    if (hanging.length > MOST_LINES) this.say(`  and ${hanging.length - MOST_LINES} more`);
    for (const id of requests) this.say(`  the open request ${id}`);
    const command = type === 'cluster' ? `coffer recipients rewrap ${name}` : 'coffer rewrap FILE';
    this.note(`Rewrap or remove them (${command}), delete branches that are done with, and try again.`);
    this.answerNo();
  }
}
