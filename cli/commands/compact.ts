import { Args, BaseCommand, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';

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
    const { readManifests, writeManifests } = await import('../workspace/manifest-file.ts');
    const { sealingKeysFor } = await import('../workspace/sealing-keys.ts');
    const { Workspaces } = await import('../workspace/workspaces.ts');
    const { manifestsToChange } = await import('../input/select-document.ts');
    const { readManifestFile } = await import('../../core/format/manifest/read-manifest.ts');
    const { compact } = await import('../../core/rotation/compact.ts');
    const workspaces = new Workspaces(flags);
    const files: { file: string; changed: boolean; bytesBefore: number; bytesAfter: number }[] = [];
    try {
      for (const path of argv as string[]) {
        try {
          const file = await readManifests(path);
          const workspace = await workspaces.of(path);
          let current = file;
          for (const index of manifestsToChange(file, flags.document)) {
            const manifest = current.manifests[index];
            // One data key is as compact as it gets; to seal again would only make a change to review.
            if (manifest === undefined || manifest.stanzas.size < 2) continue;
            const keys = await sealingKeysFor(workspace, manifest.recipients);
            const opener = await workspaces.opener(workspace);
            current = readManifestFile(Buffer.from(compact(current, index, opener, keys)), path);
          }
          const changed = current.text !== file.text;
          if (changed) await writeManifests(path, current.text);
          const [bytesBefore, bytesAfter] = [Buffer.byteLength(file.text), Buffer.byteLength(current.text)];
          files.push({ file: path, changed, bytesBefore, bytesAfter });
          this.note(
            changed
              ? `${path}: ${bytesBefore} bytes before, ${bytesAfter} after.`
              : `${path}: has one data key already.`,
          );
        } catch (error) {
          this.report(error);
        }
      }
    } finally {
      workspaces.close();
    }
    return { files, errors: this.reported };
  }
}
