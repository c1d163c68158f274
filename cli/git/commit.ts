import { CofferError } from '../../core/errors.ts';
import { git, gitOrNothing } from './git.ts';

/**
 * Commits these files as they are in the working tree, and nothing else that is changed or staged; hooks run. Returns the
 * commit's id, or undefined where there was nothing to commit. Throws COMMIT_NO_GIT, GIT_FAILED.
 *
 * @param paths from `root`; one that is gone is committed as removed
 */
export async function commitFiles(
  root: string,
  paths: readonly string[],
  message: string,
): Promise<string | undefined> {
  if ((await gitOrNothing(root, ['rev-parse', '--git-dir'])) === undefined) {
    throw new CofferError('COMMIT_NO_GIT', 'the files were changed, and there is no git repository to commit them in', {
      advice: 'Run it with --no-commit, or begin a repository with `git init`.',
      data: { path: root },
    });
  }
  const only = ['--', ...paths.map((path) => `:(literal)${path}`)];
  const changed = await git(root, ['status', '--porcelain', '-z', '--untracked-files=all', ...only]);
  if (changed.length === 0) return undefined;
  await git(root, ['add', '--all', ...only]);
  await git(root, ['commit', '--quiet', '--message', message, ...only]);
  return (await git(root, ['rev-parse', 'HEAD'])).toString().trim();
}
