import { resolve } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { git, gitOrNothing } from '../git/git.ts';
import { commitNamed } from './commits.ts';

/** Where a clone says which branch of its origin is the main one. */
const UPSTREAM = 'origin/HEAD';

/** What a branch adds to the one that it is to be merged into. */
export interface Range {
  /** Where the two parted. */
  since: string;
  head: string;
  /** The other branch, as it was named. */
  upstream: string;
  /** How many commits. */
  commits: number;
}

/**
 * The commits of HEAD that `upstream` (absent: origin/HEAD) does not have. Throws TRUST_SINCE_UNKNOWN, TRUST_SINCE_UNRELATED,
 * and TRUST_CHECKOUT_SHALLOW where the clone ends before the two meet.
 */
export async function rangeSince(root: string, upstream: string = UPSTREAM): Promise<Range> {
  const [head, other] = [await commitNamed(root, 'HEAD'), await commitNamed(root, upstream)];
  const cut = await shallowEnds(root);
  if (other === undefined || head === undefined) throw unknown(upstream, cut.size > 0);
  const base = await gitOrNothing(root, ['merge-base', other, head]);
  if (base === undefined && cut.size > 0) throw shallow();
  if (base === undefined) throw unrelated(upstream);
  const since = base.toString('latin1').trim();
  const listed = await git(root, ['rev-list', head, '--not', since]);
  const commits = listed.toString('latin1').split('\n').slice(0, -1);
  if (commits.some((commit) => cut.has(commit))) throw shallow();
  return { since, head, upstream, commits: commits.length };
}

/** How many files of the working tree or the index are in no commit yet. */
export async function countUncommitted(root: string): Promise<number> {
  const status = await git(root, ['status', '--porcelain', '-z', '--no-renames', '--untracked-files=all']);
  return status.toString('latin1').split('\0').length - 1;
}

/** Whether git keeps this file in the repository that is judged by it. */
export async function isTracked(root: string, file: string): Promise<boolean> {
  const listed = ['ls-files', '--error-unmatch', '--', `:(literal)${resolve(file)}`];
  return (await gitOrNothing(root, listed)) !== undefined;
}

/** Commits whose parents the clone leaves out: gitrepository-layout, "shallow". */
async function shallowEnds(root: string): Promise<Set<string>> {
  const name = (await git(root, ['rev-parse', '--git-path', 'shallow'])).toString('utf8').trim();
  const text = await readIfThere(resolve(root, name));
  return new Set(text.split('\n').filter((line) => line !== ''));
}

function unknown(upstream: string, isShallow: boolean): CofferError {
  const message =
    upstream === UPSTREAM
      ? 'this clone does not say which branch is the main one (it has no origin/HEAD)'
      : `this clone has no commit ${JSON.stringify(upstream)}`;
  const fetch = isShallow
    ? ' Let CI fetch all of the history: `fetch-depth: 0` on GitHub, `GIT_DEPTH: 0` on GitLab.'
    : '';
  return new CofferError('TRUST_SINCE_UNKNOWN', message, {
    advice: `Name the branch that this one is to be merged into: --since origin/main.${fetch}`,
    exit: 2,
  });
}

function unrelated(upstream: string): CofferError {
  return new CofferError('TRUST_SINCE_UNRELATED', `HEAD and ${upstream} have no commit in common`, {
    advice: 'Name the branch that this one is to be merged into with --since.',
    exit: 2,
  });
}

function shallow(): CofferError {
  return new CofferError(
    'TRUST_CHECKOUT_SHALLOW',
    'this clone is shallow, and its history ends before it meets the branch that it is compared with',
    {
      advice:
        'Fetch all of it: `git fetch --unshallow`; in CI `fetch-depth: 0` of actions/checkout, or `GIT_DEPTH: 0` on GitLab.',
    },
  );
}
