import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import type { Opener } from '../../core/opening/opener.ts';
import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';
import type { Workspace } from '../workspace/workspace.ts';

export default class Rewrap extends BaseCommand {
  static override summary = 'let other recipients open manifests, or bring stanzas to the current keys';
  static override description =
    'Changes recipients and stanzas; values stay as they are. Without --add and --remove, listed recipients without a stanza, or with one for an old key, get one for their active key. To add or renew needs a secret key, to remove does not. A removed recipient could read the values until now, and still can in the history: replace what it must not know.';
  static override examples = [
    {
      description: 'After a rotation, or where `check` says pending:',
      command: '<%= config.bin %> rewrap payments/*.yaml',
    },
    '<%= config.bin %> rewrap payments-db.yaml --add staging',
    '<%= config.bin %> rewrap payments-db.yaml --remove old-cluster',
  ];
  static override strict = false;
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'one or more manifests' }),
  };
  static override flags = {
    add: Flags.string({
      description: 'let this recipient open them',
      helpValue: 'RECIPIENT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    remove: Flags.string({
      description: 'let this recipient no longer open them',
      helpValue: 'RECIPIENT',
      multiple: true,
      multipleNonGreedy: true,
    }),
    document: documentFlag,
    'key-dir': keyDirectoryFlag,
  };

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Rewrap);
    const wanted = { add: flags.add ?? [], remove: flags.remove ?? [] };
    const { readManifests, writeManifests } = await import('../workspace/manifest-file.ts');
    const { Workspaces } = await import('../workspace/workspaces.ts');
    const { manifestsToChange } = await import('../input/select-document.ts');
    const workspaces = new Workspaces(flags);
    const files: { file: string; changed: boolean; added: string[]; removed: string[] }[] = [];
    try {
      for (const path of argv as string[]) {
        try {
          const file = await readManifests(path);
          const indexes = manifestsToChange(file, flags.document);
          const workspace = await workspaces.of(path);
          const opener = () => workspaces.opener(workspace);
          const { text, added } = await readdressed(file, indexes, workspace, wanted, opener);
          const changed = text !== file.text;
          if (changed) await writeManifests(path, text);
          files.push({ file: path, changed, added, removed: wanted.remove });
          this.#tell(path, changed, added, wanted.remove);
        } catch (error) {
          this.report(error);
        }
      }
    } finally {
      workspaces.close();
    }
    return { files, errors: this.reported };
  }

  #tell(path: string, changed: boolean, added: readonly string[], removed: readonly string[]): void {
    const parts = [
      ...(added.length === 0 ? [] : [`sealed to ${added.join(', ')}`]),
      ...(removed.length === 0 ? [] : [`removed ${removed.join(', ')}`]),
    ];
    this.note(changed ? `${path}: ${parts.join('; ')}.` : `${path}: nothing to do.`);
    if (changed && removed.length > 0) {
      this.note('The history still holds what they could open: replace the values that they must not know.');
    }
  }
}

/**
 * All manifests of one file, or none: the text is written only when each of them could be changed. The secret keys are
 * asked for only if there is something to add.
 */
async function readdressed(
  file: ManifestFile,
  indexes: readonly number[],
  workspace: Workspace,
  { add, remove }: { add: string[]; remove: string[] },
  opener: () => Promise<Opener>,
): Promise<{ text: string; added: string[] }> {
  const { refuseUnlisted, staleRecipients } = await import('../../core/rotation/stale-recipients.ts');
  const { rewrap } = await import('../../core/rotation/rewrap.ts');
  const { NOBODY } = await import('../../core/opening/opener.ts');
  const { readManifestFile } = await import('../../core/format/manifest/read-manifest.ts');
  const { sealingKeysFor } = await import('../workspace/sealing-keys.ts');
  const added = new Set<string>();
  let current = file;
  for (const index of indexes) {
    const manifest = current.manifests[index];
    if (manifest === undefined) continue;
    refuseUnlisted(manifest, remove);
    const names = add.length + remove.length > 0 ? add : staleRecipients(manifest, workspace.keyring);
    const keys = await sealingKeysFor(workspace, names);
    for (const name of names) added.add(name);
    const text = rewrap(current, index, names.length === 0 ? NOBODY : await opener(), keys, remove);
    current = readManifestFile(Buffer.from(text), file.file);
  }
  return { text: current.text, added: [...added] };
}
