import type { Finding } from '../../core/check/finding.ts';
import { trustFindings } from '../../core/check/rules/trust.ts';
import { openRepository } from '../../core/git/repository.ts';
import { judge } from '../../core/trust/judge.ts';
import { SealedBefore } from '../../core/trust/sealed/sealed-before.ts';
import { countUncommitted, isTracked, type Range, rangeSince } from './range.ts';
import { readTrustFile, type TrustFile } from './trust-file.ts';

export interface JudgedCommits extends Range {
  mode: TrustFile['mode'];
  findings: Finding[];
  /** Files that are in no commit, and so were not judged. */
  uncommitted: number;
  /** Whether a pull request can change the file that it is judged by. */
  isPolicyInside: boolean;
}

/** Judges what the branch here adds, as an operator will that has accepted the commit where it began. */
export async function judgeCommits(root: string, file: string, upstream: string | undefined): Promise<JudgedCommits> {
  const { mode, policy, namespaces, path } = await readTrustFile(file);
  const range = await rangeSince(root, upstream);
  const { since, head } = range;
  const repository = await openRepository(root);
  try {
    // Nothing is remembered from run to run: what former commits held is looked for in the history at hand, if need be.
    const sealedBefore = SealedBefore.inMemory();
    const verdict = await judge({
      ...{ repository, mode, path, accepted: since, head, sealedBefore, outstanding: [], now: new Date() },
      ...(policy === undefined ? {} : { policy }),
      ...(namespaces === undefined ? {} : { namespaces }),
    });
    const findings = trustFindings(verdict, { since, head, policy });
    const [uncommitted, isPolicyInside] = [await countUncommitted(root), await isTracked(root, file)];
    return { ...range, mode, findings, uncommitted, isPolicyInside };
  } finally {
    repository.close();
  }
}
