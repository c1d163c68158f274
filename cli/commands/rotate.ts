import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';
import { noCommitFlag } from '../kubernetes/flags.ts';
import type { RotatedManifest, RotateWanted } from '../rotate/rotate-file.ts';

export default class Rotate extends BaseCommand {
  static override summary = 'make new values, as manifests say under spec.rotation';
  static override description =
    `Makes a new value for ENTRY, or for every entry whose rotation says how (generate), seals it to all recipients and commits it.
That takes no secret key, unless the former value is to stay as ENTRY.previous for a while (keepPrevious): it has to be opened then.
Former values whose time is over are removed.

What a rotator changes where it is used, too, is an operator's work, and so are all of these where the repository's configuration
names a rotatingCluster. Without FILE, --due does all manifests of the repository; how old a value is, its commits say.`;
  static override examples = [
    { description: 'This one, now:', command: '<%= config.bin %> rotate payments/payments-db.yaml password' },
    { description: 'What is due, from CI:', command: '<%= config.bin %> rotate --due' },
    { description: 'What would be done:', command: '<%= config.bin %> rotate --due --dry-run' },
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'a manifest; absent, with --due: all of the repository' }),
    entry: Args.string({ ignoreStdin: true, description: 'the entry; absent: all that are generated' }),
  };
  static override flags = {
    due: Flags.boolean({ description: 'only what is due' }),
    'drop-previous': Flags.boolean({ description: 'keep no former value, whatever the manifest says' }),
    'dry-run': Flags.boolean({ description: 'say what would be done, and change nothing' }),
    document: documentFlag,
    'key-dir': keyDirectoryFlag,
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Rotate);
    const [{ rotateFiles }, { commitFiles }] = await Promise.all([
      import('../rotate/rotate-files.ts'),
      import('../git/commit.ts'),
    ]);
    const wanted: RotateWanted = {
      entry: args.entry,
      onlyDue: flags.due,
      dropPrevious: flags['drop-previous'],
      dryRun: flags['dry-run'],
    };
    const { root, files } = await rotateFiles(
      { ...wanted, file: args.file, document: flags.document, keyDirectory: flags['key-dir'] },
      { warn: (message) => this.warn(message), report: (error) => this.report(error) },
    );
    const changed = files.filter((file) => file.changed).map(({ path }) => path);
    const commits = changed.length > 0 && !flags['no-commit'];
    const commit = commits
      ? await commitFiles(root, changed, messageOf(files.flatMap((file) => file.manifests)))
      : undefined;
    for (const { path, manifests } of files) for (const one of manifests) this.#tell(path, one, wanted.dryRun);
    if (files.every(({ manifests }) => manifests.every(isNothing))) this.note('Nothing to do.');
    return { files, dryRun: wanted.dryRun, commit: commit ?? null, errors: this.reported };
  }

  #tell(path: string, { manifest, rotated, kept, removed, left }: RotatedManifest, isDry: boolean): void {
    const place = `${manifest} (${path})`;
    const say = (done: string, would: string, entries: readonly string[], more = '') => {
      if (entries.length > 0)
        this.say(`${isDry ? would : done} ${this.emphasise(entries.join(', '))} of ${place}${more}`);
    };
    say('rotated', 'would rotate', rotated, kept.length === 0 ? '' : `; the former value stays as ${kept.join(', ')}`);
    say('removed', 'would remove', removed);
    for (const { entry, by } of left) {
      this.warn(
        by === 'hand'
          ? `${entry} of ${place} is changed by hand: where it is used, and then with \`coffer set ${path} ${entry}\``
          : `${entry} of ${place} is rotated by ${by}, which an operator runs`,
      );
    }
  }
}

function isNothing({ rotated, removed, left }: RotatedManifest): boolean {
  return rotated.length + removed.length + left.length === 0;
}

function messageOf(manifests: readonly RotatedManifest[]): string {
  const [first, ...more] = manifests.filter(({ rotated, removed }) => rotated.length + removed.length > 0);
  if (first === undefined) return 'Rotate values';
  const count = manifests.reduce((sum, { rotated }) => sum + rotated.length, 0);
  if (more.length > 0) return count === 0 ? 'Remove former values' : `Rotate ${count} values`;
  const { manifest, rotated, removed } = first;
  return count === 0 ? `Remove ${removed.join(', ')} of ${manifest}` : `Rotate ${rotated.join(', ')} of ${manifest}`;
}
