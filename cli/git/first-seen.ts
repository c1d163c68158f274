import { CofferError } from '../../core/errors.ts';
import { git, gitOrNothing } from './git.ts';

/**
 * When sealed texts of a file came into it, by the dates of the commits: text → the oldest of them. What is not committed
 * is missing. The file is followed through renames, each merge by its first parent too.
 *
 * @param path from `root`
 * @throws CofferError GIT_*
 */
export async function firstSeen(root: string, path: string, texts: readonly string[]): Promise<Map<string, Date>> {
  const seen = new Map<string, Date>();
  const log = ['log', '--follow', '--diff-merges=first-parent', '--root', '-p', '--unified=0', '--format=%x00%ct'];
  const plain = ['--no-color', '--no-ext-diff', '--no-textconv', '--text'];
  const output = (await git(root, ['--literal-pathspecs', ...log, ...plain, '--', path])).toString('latin1');
  for (const commit of output.split('\0').slice(1)) {
    const date = new Date(Number(/^[0-9]+/.exec(commit)?.[0]) * 1000);
    for (const text of texts) {
      const known = seen.get(text);
      if ((known === undefined || date < known) && adds(commit, text)) seen.set(text, date);
    }
  }
  return seen;
}

/** Whether a line that this diff adds holds the text. */
function adds(diff: string, text: string): boolean {
  for (let at = diff.indexOf(text); at >= 0; at = diff.indexOf(text, at + 1)) {
    if (diff[diff.lastIndexOf('\n', at) + 1] === '+') return true;
  }
  return false;
}

/**
 * A shallow clone seems to have begun with the commit that it begins with.
 *
 * @throws CofferError HISTORY_NONE, HISTORY_SHALLOW
 */
export async function refuseNoHistory(root: string): Promise<void> {
  const shallow = await gitOrNothing(root, ['rev-parse', '--is-shallow-repository']);
  const head = await gitOrNothing(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (shallow === undefined || head === undefined) {
    throw new CofferError('HISTORY_NONE', 'without commits nobody knows how old a value is', {
      advice: 'Run it in a clone of the repository; or name the entries, and leave --due out.',
      data: { path: root },
    });
  }
  if (shallow.toString('latin1').trim() === 'false') return;
  throw new CofferError('HISTORY_SHALLOW', 'this clone is shallow, and does not know how old its values are', {
    advice: 'Run `git fetch --unshallow` before; in CI, have the checkout fetch all of the history (`fetch-depth: 0`).',
    data: { path: root },
  });
}
