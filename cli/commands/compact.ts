import { Args, BaseCommand, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../select-document.ts';

export default class Compact extends BaseCommand {
  static override summary = 'seal all of a manifest again, under one data key';
  static override description =
    'Each run that seals values brings a data key of its own, with a stanza for each recipient. This opens all values and seals them under one new data key, which makes the file small again. Needs a secret key that opens every value; a file is changed as a whole or not at all.';
  static override examples = [
    '<%= config.bin %> compact payments-db.yaml',
    '<%= config.bin %> compact payments/*.yaml',
  ];
  static override strict = false;
  static override args = {
    file: Args.string({ required: true, ignoreStdin: true, description: 'one or more manifests' }),
  };
  static override flags = { document: documentFlag, 'key-dir': keyDirectoryFlag };

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Compact);
    const { openKeys, openWorkspaceOf, readManifests, sealingKeysFor, writeManifests } = await import(
      '../workspace.ts'
    );
    const { manifestsToChange } = await import('../select-document.ts');
    const { readManifestFile } = await import('../../core/format/manifest.ts');
    const { compact } = await import('../../core/rotation/compact.ts');
    const workspace = await openWorkspaceOf((argv as string[])[0] ?? '.');
    const { opener, close } = await openKeys(workspace.keyring, flags);
    const files: { file: string; bytesBefore: number; bytesAfter: number }[] = [];
    try {
      for (const path of argv as string[]) {
        try {
          const file = await readManifests(path);
          let current = file;
          for (const index of manifestsToChange(file, flags.document)) {
            const keys = await sealingKeysFor(workspace, current.manifests[index]?.recipients ?? []);
            current = readManifestFile(Buffer.from(compact(current, index, opener, keys)), path);
          }
          await writeManifests(path, current.text);
          const [bytesBefore, bytesAfter] = [Buffer.byteLength(file.text), Buffer.byteLength(current.text)];
          files.push({ file: path, bytesBefore, bytesAfter });
          this.note(`${path}: ${bytesBefore} bytes before, ${bytesAfter} after.`);
        } catch (error) {
          this.report(error);
        }
      }
    } finally {
      close();
    }
    return { files, errors: this.reported };
  }
}
