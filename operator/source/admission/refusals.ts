import { CofferError } from '../../../core/errors.ts';
import type { HeldPath } from '../../trust/held-path.ts';

/** Why a commit is not taken although all of it is there. All leave what was accepted as it is. */

const confirmAdvice = (commit: string): string =>
  `If it was meant, run \`coffer-operator --config FILE --confirm ${commit}\`.`;

const acceptAdvice = (commit: string): string =>
  `run \`coffer-operator accept ${commit} --config FILE\` on this operator`;

/** Where nobody signs, a person at the operator decides. */
export function rewound(address: string, commit: string, previous: string): CofferError {
  const message = `${address}: the branch was rewound or replaced: ${commit} does not descend from the accepted ${previous}`;
  return new CofferError('SOURCE_REWOUND', message, {
    advice: `Push a commit that descends from ${previous}. If it was meant, ${acceptAdvice(commit)}.`,
    data: { source: address, commit },
  });
}

export function emptied(address: string, commit: string): CofferError {
  return new CofferError('SOURCE_EMPTIED', `${address}: the commit ${commit} holds no file at all`, {
    advice: `Revert it. ${confirmAdvice(commit)}`,
    data: { source: address, commit },
  });
}

export function pathMissing(address: string, commit: string, path: string): CofferError {
  return new CofferError('SOURCE_PATH_MISSING', `${address}: the commit ${commit} has no folder ${path}`, {
    advice: `Check \`path\` in the configuration, or push the folder again. ${confirmAdvice(commit)}`,
    data: { source: address, commit, path },
  });
}

/** Trust has to begin somewhere, and whoever controls the server at the first fetch must not choose where. */
export function firstUnnamed(address: string, commit: string, configured: string | undefined): CofferError {
  const why =
    configured === undefined
      ? 'and nobody said where trust begins'
      : `and it does not descend from firstCommit, ${configured}`;
  return new CofferError('SOURCE_FIRST_COMMIT', `${address}: ${commit} would be the first commit, ${why}`, {
    advice: `Look at it; if it is right, set \`trust.firstCommit: "${commit}"\` in the configuration, or ${acceptAdvice(commit)}.`,
    data: { source: address, commit },
  });
}

/** Only of the verdict is known that a path was held back, for another replica made it, or the clone was lost. */
export function formerMissing(path: string, commit: string): CofferError {
  const message = `${path} is to be held back, and what was accepted of it with ${commit} is not in the repository any more`;
  return new CofferError('TRUST_FORMER_MISSING', message, {
    advice: `Mend the path by a commit of who may, push ${commit} again, or accept the newest commit on this operator.`,
    data: { file: path },
  });
}

/** They stay until the branch is mended, and whoever pushes chooses how many they are. */
const MOST_NAMED = 1000;

/** Rules forbid changes that a commit brings, and all of it is held for them. Says what the first of them says; `held` has the first thousand. */
export class CommitRefused extends CofferError {
  readonly held: readonly HeldPath[];

  constructor(address: string, commit: string, first: HeldPath, others: readonly HeldPath[]) {
    const { code, message, advice, data, loop } = first.error;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    super(code, `${address}: ${commit} is not taken: ${message}${more}`, {
      advice,
      data: { ...data, source: address, commit },
      loop,
      cause: first.error,
    });
    this.held = [first, ...others.slice(0, MOST_NAMED - 1)];
  }
}
