import { Args, BaseCommand, Flags } from '../base-command.ts';
import { noCommitFlag } from '../kubernetes/flags.ts';
import type { Endorsement } from '../trust/endorsement.ts';

export default class Endorse extends BaseCommand {
  static override summary = 'stand for a commit that operators hold back; commits the request, signed';
  static override description =
    'Shows what COMMIT changes and commits a request to .coffer/requests/, signed with your key: operators then judge COMMIT as if you had signed it yourself. It counts if the policy grants you "endorse", and what COMMIT changes: `coffer check --trust POLICY` tells. All operators that follow the branch take it, once it is pushed.\n\nWhere the branch was rewound or replaced, --instead-of names the commit that operators accepted last: everything that differs between the two is then your own change. What to do when an operator holds a commit back: docs/trust.md.';
  static override examples = [
    'coffer endorse 4f2a9c1',
    {
      description: 'After a forced push; the operator’s status says which commit it accepted last:',
      command: 'coffer endorse HEAD --instead-of 91be03d2c7',
    },
  ];
  static override args = {
    commit: Args.string({ required: true, ignoreStdin: true, description: 'what you looked at and stand for' }),
  };
  static override flags = {
    'instead-of': Flags.string({
      description: 'the last commit of the former branch, which operators accepted, and which is given up',
      helpValue: 'COMMIT',
    }),
    'no-commit': noCommitFlag,
  };

  override async run(): Promise<Record<string, unknown>> {
    const { args, flags } = await this.parse(Endorse);
    const [{ openWorkspace }, { commitSigned, endorsementOf, refuseWithoutGit, writeEndorsement }] = await Promise.all([
      import('../workspace/workspace.ts'),
      import('../trust/endorsement.ts'),
    ]);
    const workspace = await openWorkspace();
    await refuseWithoutGit(workspace.root);
    const endorsement = await endorsementOf(workspace.root, args.commit, flags['instead-of']);
    const { differenceFor, renderDifference } = await import('../trust/difference.ts');
    const difference = await differenceFor(workspace, endorsement);
    this.say(renderDifference(endorsement, difference));
    await writeEndorsement(workspace.root, endorsement);
    const commit = flags['no-commit'] ? undefined : await commitSigned(workspace.root, endorsement);
    this.#tell(endorsement, commit);
    const { request, file, isOldUnseen, leftOut } = endorsement;
    return {
      ...{ endorsed: request.commit, abandons: request.abandons, request: request.id, files: [file] },
      ...{ isOldUnseen, leftOut, changed: difference, commit: commit ?? null },
    };
  }

  #tell({ commit, request, file, isOldUnseen, leftOut }: Endorsement, made: string | undefined): void {
    const [old] = request.abandons;
    if (isOldUnseen) {
      this.warn(
        `this clone does not have ${old}: you cannot see what is given up, and only operators that accepted that commit last follow`,
      );
    }
    if (leftOut > 0) {
      this.warn(
        `${leftOut} older commits do not fit into the request: an operator that accepted one of them last does not follow`,
      );
    }
    this.say('');
    this.say(`endorsed ${this.emphasise(commit.oid)}`);
    if (old !== undefined) this.say(`  gives up ${request.abandons.length} of the former branch, ${old} the newest`);
    this.say(`  request  ${file}`);
    if (made !== undefined) this.say(`  commit   ${made}`);
    this.note(
      made === undefined
        ? `It counts once it is committed with your signature, and pushed: git add ${file} && git commit --gpg-sign -- ${file}`
        : 'It counts once it is pushed, if the policy grants you that (`coffer check --trust POLICY`). Do not squash or rebase it: that would take your signature away.',
    );
  }
}
