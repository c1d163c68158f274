import { git } from './git.ts';

/**
 * A file as the commits of the first parents left it, from the newest to the oldest, followed through renames. Read one by one, as far as
 * somebody asks.
 *
 * @param path from `root`
 * @throws CofferError GIT_*
 */
export async function* fileVersions(root: string, path: string): AsyncGenerator<Buffer> {
  const log = ['log', '--first-parent', '--follow', '--diff-merges=first-parent', '--root', '--diff-filter=d'];
  const output = await git(root, ['--literal-pathspecs', ...log, '-z', '--name-only', '--format=%x00%H', '--', path]);
  for (const [, commit, name] of output.toString('utf8').matchAll(/\0([0-9a-f]+)\0\n([^\0]+)\0/g)) {
    yield await git(root, ['show', `${commit}:${name}`]);
  }
}
