import { Args, BaseCommand, Flags, keyDirectoryFlag } from '../base-command.ts';
import { documentFlag } from '../input/select-document.ts';
import { noCommitFlag, placeFlags } from '../kubernetes/flags.ts';
import type { Collected } from '../rotate/collect-values.ts';
import type { RotatedManifest, RotateWanted } from '../rotate/rotate-file.ts';

const withCollect = { dependsOn: ['collect'] };
const instead = { exclusive: ['collect'] };

export default class Rotate extends BaseCommand {
  static override summary = 'make new values, as manifests say under spec.rotation, and commit them';
  static override description =
    `Makes a new value for ENTRY, or for every entry whose rotation says how (generate), seals it to all recipients and commits it.
That takes no secret key, unless the former value is to stay as ENTRY.previous for a while (keepPrevious): it has to be opened then.
Former values whose time is over are removed. Without FILE, --due does all manifests of the repository; how old a value is, its
commits say.

Where the repository's configuration names a rotatingCluster, its operator does all that by itself, and what rotators change where it
is used, too. Where that operator may not push, --collect takes the values that it made, and published, into the working tree, if the
pinned identity of its cluster signed them.`;
  static override examples = [
    { description: 'This one, now:', command: '<%= config.bin %> rotate payments/payments-db.yaml password' },
    { description: 'What is due, from CI:', command: '<%= config.bin %> rotate --due' },
    { description: 'What would be done:', command: '<%= config.bin %> rotate --due --dry-run' },
    {
      description: 'What the operator made, for a pull request:',
      command: '<%= config.bin %> rotate --collect --from-cluster --context production',
    },
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'a manifest; absent, with --due or --collect: all of them' }),
    entry: Args.string({ ignoreStdin: true, description: 'the entry; absent: all that are generated' }),
  };
  static override flags = {
    due: Flags.boolean({ description: 'only what is due', ...instead }),
    'drop-previous': Flags.boolean({ description: 'keep no former value, whatever the manifest says', ...instead }),
    collect: Flags.boolean({ description: 'take the values that an operator made' }),
    cluster: Flags.string({
      description: 'whose operator (default: the rotatingCluster of the configuration)',
      helpValue: 'NAME',
      ...withCollect,
    }),
    'from-cluster': Flags.boolean({
      description: 'from beside the operator',
      exclusive: ['from-file'],
      ...withCollect,
    }),
    kubeconfig: { ...placeFlags.kubeconfig, ...withCollect },
    context: { ...placeFlags.context, ...withCollect },
    namespace: placeFlags.namespace,
    'from-file': { ...placeFlags['from-file'], ...withCollect },
    'dry-run': Flags.boolean({ description: 'say what would be done, and change nothing', default: false }),
    document: { ...documentFlag, ...instead },
    'key-dir': { ...keyDirectoryFlag, ...instead },
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Rotate);
    if (flags.collect) return this.#collect(args, flags);
    const { rotateFiles } = await import('../rotate/rotate-files.ts');
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
    const { messageOf, rotatedLines } = await import('../rotate/rotated-lines.ts');
    const changed = files.filter((file) => file.changed).map(({ path }) => path);
    const manifests = files.flatMap((file) => file.manifests);
    const commit = await this.#commit(root, changed, messageOf(manifests), flags);
    for (const { path, manifests: ofFile } of files) {
      for (const one of ofFile) this.#tell(rotatedLines(one, path, wanted.dryRun, (text) => this.emphasise(text)));
    }
    if (manifests.every(isNothing) && this.reported.length === 0) this.note('Nothing to do.');
    return { files, dryRun: wanted.dryRun, commit, errors: this.reported };
  }

  async #collect(
    args: { file?: string | undefined; entry?: string | undefined },
    flags: CollectFlags,
  ): Promise<Record<string, unknown>> {
    const [{ openWorkspace }, { collectValues }, { publishedPlace }] = await Promise.all([
      import('../workspace/workspace.ts'),
      import('../rotate/collect-values.ts'),
      import('../published/place.ts'),
    ]);
    const workspace = await openWorkspace();
    const collected = await collectValues(workspace, {
      cluster: flags.cluster,
      path: args.file === undefined ? undefined : workspace.pathOf(args.file),
      entry: args.entry,
      dryRun: flags['dry-run'],
      place: publishedPlace(flags),
    });
    const { files, cluster } = collected;
    const commit = await this.#commit(workspace.root, files, `Take the values that ${cluster} made`, flags);
    if (files.length > 0) for (const line of proposedLines(collected, flags['dry-run'])) this.say(line);
    else this.note('Nothing to do.');
    for (const [path, reason] of Object.entries(collected.refused)) this.warn(`${path}: ${reason}`);
    if (Object.keys(collected.refused).length > 0) this.answerNo();
    return { ...collected, dryRun: flags['dry-run'], commit };
  }

  async #commit(
    root: string,
    files: readonly string[],
    message: string,
    flags: { 'no-commit': boolean; 'dry-run': boolean },
  ): Promise<string | null> {
    if (files.length === 0 || flags['no-commit'] || flags['dry-run']) return null;
    const { commitFiles } = await import('../git/commit.ts');
    return (await commitFiles(root, files, message)) ?? null;
  }

  #tell({ said, warned }: { said: readonly string[]; warned: readonly string[] }): void {
    for (const line of said) this.say(line);
    for (const line of warned) this.warn(line);
  }
}

interface CollectFlags {
  cluster: string | undefined;
  'from-cluster': boolean;
  'from-file': string | undefined;
  kubeconfig: string | undefined;
  context: string | undefined;
  namespace: string;
  'dry-run': boolean;
  'no-commit': boolean;
}

function isNothing({ rotated, removed, left }: RotatedManifest): boolean {
  return rotated.length + removed.length + left.length === 0;
}

function proposedLines({ proposed }: Collected, isDry: boolean): string[] {
  const would = isDry ? 'would take ' : '';
  return Object.entries(proposed).map(([manifest, entries]) => `${would}${manifest}: ${entries.join(', ')}`);
}
