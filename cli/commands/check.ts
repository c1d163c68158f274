import type { CheckReport } from '../../core/check/check.ts';
import { anyLogsFlag, identityFlag } from '../audit/flags.ts';
import { Args, BaseCommand, Flags } from '../base-command.ts';
import type { JudgedCommits } from '../trust/judge-commits.ts';

const POLICY_INSIDE =
  'the file of --trust is part of this repository: a pull request can change it, and this judgement with it; operators use their own';

export default class Check extends BaseCommand {
  static override summary = 'look for plaintext, malformed manifests and stale recipients';
  static override description =
    'Needs no secret key. Checks the files of the repository that git tracks or would add, or those under PATH. Exit code 1 if there are errors; warnings alone pass, unless --strict. With --trust it judges commits as well, as operators will: every commit of HEAD that the branch named by --since does not have. With --exposed it looks through the whole history for values that revoked keys could open. What each rule means: docs/checks.md.';
  static override examples = [
    '<%= config.bin %> check',
    '<%= config.bin %> check apps/payments --strict',
    { description: 'In a pre-commit hook:', command: '<%= config.bin %> check --staged' },
    {
      description: 'In a pull request: is each signer granted what their commits change (docs/trust.md)?',
      command: '<%= config.bin %> check --trust policy.yaml --since origin/main',
    },
    {
      description: 'In CI, after a key was stolen: does any value still live that it could open (docs/exposure.md)?',
      command: '<%= config.bin %> check --exposed --log production-audit',
    },
    { description: 'For a code host:', command: '<%= config.bin %> check --sarif > coffer.sarif' },
  ];
  static override strict = false;
  static override args = {
    path: Args.string({ ignoreStdin: true, description: 'files and folders; absent: the whole repository' }),
  };
  static override flags = {
    staged: Flags.boolean({ description: 'check what the next commit would add or change, as it stands in the index' }),
    strict: Flags.boolean({ description: 'fail on warnings too' }),
    trust: Flags.string({
      description: 'judge the commits of this branch too, by a TrustPolicy or an operator’s configuration',
      helpValue: 'FILE',
      exclusive: ['staged'],
    }),
    since: Flags.string({
      description: 'the branch that this one is to be merged into (default: origin/HEAD)',
      helpValue: 'REVISION',
      dependsOn: ['trust'],
    }),
    exposed: Flags.boolean({
      description:
        'look through the whole history for values that a revoked key could open, and that may still be in use',
      exclusive: ['staged'],
    }),
    log: anyLogsFlag,
    identity: identityFlag,
    sarif: Flags.boolean({ description: 'print SARIF 2.1.0', exclusive: ['json'] }),
  };

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Check);
    const { findRoot } = await import('../../core/config/repository.ts');
    const { check } = await import('../../core/check/check.ts');
    const { stagedPaths, stagedTree, workingTree } = await import('../git/trees.ts');
    const { keyringAtHead, keyringOfHistory } = await import('../git/earlier-keyring.ts');
    const { pastOf } = await import('../git/past.ts');
    const { isUnder, pathsFrom, refuseUnknown } = await import('../input/paths.ts');

    const { root, paths } = await pathsFrom(argv as string[], findRoot);
    const tree = flags.staged ? await stagedTree(root) : await workingTree(root);
    refuseUnknown(paths, tree.files);
    const changed = flags.staged ? await stagedPaths(root) : undefined;
    // A changed keyring or configuration concerns every manifest.
    const isWhole = changed === undefined || [...changed].some((path) => path.startsWith('.coffer/'));
    const isSubject = (path: string) => isUnder(path, paths) && (isWhole || changed.has(path));

    // A commit is refused for what it does itself; what the history did, for the rest.
    const earlier = flags.staged ? await keyringAtHead(root) : await keyringOfHistory(root);
    const ofFiles = await check(tree, isSubject, earlier, flags.staged ? undefined : pastOf(root));
    const { judged, report: ofCommits } = await this.#judge(ofFiles, root, flags);
    const report = flags.exposed ? await this.#withExposed(ofCommits, root, flags) : ofCommits;
    await this.#print(report, root, flags.sarif);
    if (judged !== undefined) await this.#tell(judged, flags.sarif);
    const fails = report.findings.some(({ level }) => level === 'error' || flags.strict);
    if (fails) this.answerNo();
    if (fails && flags.staged) this.note('What is staged counts: `git add` what you mend.');
    const { findings: _, ...trust } = judged ?? { findings: [] };
    return { ...report, ...(judged === undefined ? {} : { trust }), ok: !fails };
  }

  async #judge(
    report: CheckReport,
    root: string,
    { trust, since }: { trust?: string | undefined; since?: string | undefined },
  ): Promise<{ judged?: JudgedCommits; report: CheckReport }> {
    if (trust === undefined) return { report };
    const { judgeCommits } = await import('../trust/judge-commits.ts');
    const { inOrder } = await import('../../core/check/finding.ts');
    const judged = await judgeCommits(root, trust, since);
    return { judged, report: { ...report, findings: inOrder([...report.findings, ...judged.findings]) } };
  }

  async #withExposed(
    report: CheckReport,
    root: string,
    { log, identity }: { log: string[]; identity: string[] },
  ): Promise<CheckReport> {
    const [{ exposureOf }, { readComparisons }, { exposedFindings }, { inOrder }] = await Promise.all([
      import('../exposure/exposure-of.ts'),
      import('../exposure/read-comparisons.ts'),
      import('../../core/check/rules/exposed.ts'),
      import('../../core/check/finding.ts'),
    ]);
    const compared = await readComparisons(log, identity);
    const { report: exposure, notes } = await exposureOf(root, {}, { isPartial: false, compared, says: 'line' });
    for (const note of notes) this.warn(note);
    return { ...report, findings: inOrder([...report.findings, ...exposedFindings(exposure)]) };
  }

  async #tell(judged: JudgedCommits, sarif: boolean): Promise<void> {
    const { judgedSummary, uncommittedNote } = await import('../render/judged.ts');
    if (!sarif) this.say(judgedSummary(judged));
    if (judged.isPolicyInside) this.warn(POLICY_INSIDE);
    if (judged.uncommitted > 0) this.note(uncommittedNote(judged.uncommitted));
  }

  async #print(report: CheckReport, root: string, sarif: boolean): Promise<void> {
    if (sarif) {
      const { sarifOf } = await import('../render/sarif.ts');
      this.say(JSON.stringify(sarifOf(report.findings, root), null, 2));
    } else {
      const { renderFindings } = await import('../render/findings.ts');
      const { join, relative } = await import('node:path');
      this.say(renderFindings(report, (path) => relative(process.cwd(), join(root, path))));
    }
  }
}
