import { CofferError } from '../../core/errors.ts';
import { printable } from '../../core/trust/printable.ts';
import { git, gitOrNothing, gitTrouble } from './git.ts';

/**
 * Commits these files as they are in the working tree, and nothing else that is changed or staged; hooks run. Returns the
 * commit's id, or undefined where there was nothing to commit. Throws COMMIT_NO_GIT, COMMIT_REFUSED, GIT_FAILED.
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
  const trouble = await gitTrouble(root, ['commit', '--quiet', '--message', message, ...only]);
  if (trouble !== undefined) throw refused(root, trouble);
  return (await git(root, ['rev-parse', 'HEAD'])).toString().trim();
}

/** Lines of what a hook or git itself says. */
const MOST_LINES = 10;

/** By a hook, mostly: what it found is what has to be mended. */
function refused(root: string, trouble: string): CofferError {
  const said = trouble.split('\n').filter((line) => line.trim() !== '');
  const lines = [...said.slice(0, MOST_LINES), ...(said.length > MOST_LINES ? ['…'] : [])];
  const quoted = lines.map((line) => `\n    ${printable(line)}`).join('');
  return new CofferError('COMMIT_REFUSED', `the files are changed, and git did not commit them:${quoted}`, {
    advice: 'Mend what it says, then `git commit` them; or take the changes back with `git restore`.',
    data: { path: root },
  });
}
