import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { noCommitFlag, placeFlags } from '../../kubernetes/flags.ts';
import type { Rewrapped } from '../../recipients/rotate/rewrap-as-proposed.ts';
import { count } from '../../render/count.ts';

export default class RecipientsRewrap extends BaseCommand {
  static override summary = "take over the key and stanzas that a cluster's operator made, and commit them";
  static override description =
    `After coffer recipients rotate, or when a key has reached its age, an operator makes a new key and seals everything of its own to
it. Where it may not push, it publishes both, which is public: this puts them into the working tree and commits them, for a
pull request. What changed in the repository meanwhile stays as it is, and what came meanwhile is in a later round.

It takes nothing but the key and the stanzas of RECIPIENT, and only if the pinned identity of RECIPIENT signed them. Exit code 0:
all is taken over (commit is null in --json where nothing was to be done); 1: RECIPIENT has published nothing yet, although
something is to be done, or could not open some manifests.`;
  static override examples = [
    'coffer recipients rewrap production --from-cluster --context production',
    {
      description: 'A host without Kubernetes:',
      command: 'coffer recipients rewrap edge-1 --from-file rewrap-edge-1.jsonl',
    },
    {
      description: 'In CI, before a pull request is opened:',
      command: 'COFFER_PINS=.ci/pins coffer recipients rewrap production --from-cluster --json',
    },
  ];
  static override args = {
    recipient: Args.string({ required: true, ignoreStdin: true, description: 'the cluster' }),
  };
  static override flags = {
    ...placeFlags,
    'from-cluster': Flags.boolean({ description: 'from beside its operator', exclusive: ['from-file'] }),
    'dry-run': Flags.boolean({ description: 'say what would be taken over, and change nothing', default: false }),
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(RecipientsRewrap);
    const [{ openWorkspace }, { publishedPlace }, { rewrapAsProposed }, { commitFiles }, { isAwaited }] =
      await Promise.all([
        import('../../workspace/workspace.ts'),
        import('../../published/place.ts'),
        import('../../recipients/rotate/rewrap-as-proposed.ts'),
        import('../../git/commit.ts'),
        import('../../recipients/rotate/awaited.ts'),
      ]);
    const place = publishedPlace(flags);
    const isDry = flags['dry-run'];
    const name = args.recipient;
    const rewrapped = await rewrapAsProposed(await openWorkspace(), name, { place, isDry });
    const { files, keyId, refused } = rewrapped;
    const message = `Seal to the newest key of ${name}\n\nKey: ${keyId}`;
    const { root } = await openWorkspace();
    const isLeft = isDry || flags['no-commit'] || files.length === 0;
    const commit = isLeft ? undefined : await commitFiles(root, files, message);
    const awaited = rewrapped.isNothing && (await isAwaited(await openWorkspace(), name));
    if (awaited || refused.size > 0) this.answerNo();
    this.#tell(name, rewrapped, { awaited, isDry, commit });
    return {
      ...{ name, keyId: keyId ?? null, files, refused: Object.fromEntries(refused) },
      ...{ awaited, dryRun: isDry, commit: commit ?? null },
    };
  }

  #tell(
    name: string,
    { keyId, files, refused }: Rewrapped,
    { awaited, isDry, commit }: { awaited: boolean; isDry: boolean; commit: string | undefined },
  ): void {
    if (files.length > 0) {
      const are = isDry ? 'would be' : files.length === 1 ? 'is' : 'are';
      this.say(`${count(files.length, 'file')} ${are} as the operator of ${this.emphasise(name)} proposes`);
      this.say(`  active key ${keyId}`);
      if (isDry) for (const path of files) this.say(`  ${path}`);
      if (commit !== undefined) this.say(`  commit     ${commit}`);
    } else if (awaited) {
      this.say(`the operator of ${name} has published nothing yet; its status says what it waits for`);
    } else {
      this.note('Nothing to do.');
    }
    for (const [path, reason] of refused) this.warn(`the operator could not open ${path}: ${reason}`);
  }
}
