import type { Keyring } from '../../core/keys/keyring.ts';
import { Args, asFlag, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';
import type { ComparedFile } from '../git/compare-revisions.ts';
import type { ChangedFile } from '../git/revisions.ts';
import type { ShownFile } from '../render/changes.ts';
import type { OpenerFlags } from '../workspace/open-keys.ts';

export default class Diff extends BaseCommand {
  static override summary = 'show what changed in manifests, keyring and configuration; needs no secret key';
  static override description =
    'Compares two revisions, one revision with the working tree, or (without any) HEAD with the working tree. Of manifests it lists entries, recipients and readers; of the keyring recipients, identities, keys and members; of the configuration rules and required recipients. What a reviewer must not overlook, such as another identity, has a line that says why. Values are shown only with --reveal, which needs a secret key. A changed ciphertext need not be a changed value.';
  static override examples = [
    '<%= config.bin %> diff',
    '<%= config.bin %> diff main -- apps/payments',
    '<%= config.bin %> diff v1.4 v1.5 --reveal',
    { description: "git's textconv driver, which init sets up:", command: '<%= config.bin %> diff --textconv FILE' },
  ];
  static override strict = false;
  static override args = {
    revision: Args.string({
      ignoreStdin: true,
      description: 'one or two revisions, then paths: [REV [REV]] [--] [PATH…]',
    }),
  };
  static override flags = {
    staged: Flags.boolean({ description: 'compare with the index rather than the working tree' }),
    reveal: Flags.boolean({ description: 'show the values of changed entries, as far as your keys open them' }),
    'exit-code': Flags.boolean({ description: 'exit with 1 if something changed' }),
    textconv: Flags.string({
      description: 'print this file with its ciphertexts cut to labels',
      helpValue: 'FILE',
      exclusive: ['staged', 'reveal', 'exit-code'],
    }),
    'key-dir': keyDirectoryFlag,
    as: asFlag,
  };

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Diff);
    if (flags.textconv !== undefined) return this.#textconv(flags.textconv);
    const { openWorkspace } = await import('../workspace/workspace.ts');
    const { compareFiles } = await import('../git/compare-revisions.ts');
    const workspace = await openWorkspace();

    const changed = await this.#changedFiles(workspace.root, argv as string[], flags.staged);
    const compared = await compareFiles(workspace.root, workspace.config, changed);
    const { renderChanges, shownFile } = await import('../render/changes.ts');
    const files = flags.reveal ? await withValues(compared, workspace.keyring, flags) : compared.map(shownFile);

    this.say(renderChanges(files));
    if (flags['exit-code'] && files.length > 0) this.answerNo();
    return { files };
  }

  async #changedFiles(root: string, argv: readonly string[], isStaged: boolean): Promise<ChangedFile[]> {
    const { changedFiles, comparisonFrom } = await import('../git/revisions.ts');
    const { isThere, pathFrom } = await import('../input/paths.ts');
    const dashes = this.argv.indexOf('--');
    const behind = dashes === -1 ? 0 : this.argv.length - dashes - 1;
    const typed = argv.slice(0, argv.length - behind);
    const afterDashes = behind === 0 ? [] : argv.slice(-behind);
    const { comparison, paths } = await comparisonFrom(root, typed, afterDashes, isThere);
    const fromRoot = paths.map((path) => pathFrom(root, path));
    return changedFiles(root, comparison, fromRoot, isStaged);
  }

  /** Standard output takes the bytes as they are: git shows them. */
  async #textconv(path: string): Promise<Record<string, unknown>> {
    const { readFile } = await import('node:fs/promises');
    const { labelCiphertext } = await import('../../core/format/merge/ciphertext-labels.ts');
    const bytes = await readFile(path);
    const { isUtf8 } = await import('node:buffer');
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    const text = labelCiphertext(bytes.toString(encoding));
    if (!this.jsonEnabled()) process.stdout.write(Buffer.from(text, encoding));
    return { text };
  }
}

async function withValues(files: readonly ComparedFile[], keyring: Keyring, flags: OpenerFlags): Promise<ShownFile[]> {
  const { openKeys } = await import('../workspace/open-keys.ts');
  const { reveal } = await import('../render/revealed-values.ts');
  const { shownFile } = await import('../render/changes.ts');
  const { opener, close } = await openKeys(keyring, flags);
  try {
    return files.map((file) => ({
      ...shownFile(file),
      changes: file.changes.map((change) => {
        if (change.what !== 'entry') return change;
        const secret = `${change.namespace}/${change.name}`;
        const before = reveal(file.before, secret, change.subject, opener);
        const after = reveal(file.after, secret, change.subject, opener);
        const values = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
        return { ...change, values };
      }),
    }));
  } finally {
    close();
  }
}
