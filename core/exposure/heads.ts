import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nothingFor } from '../errors.ts';
import { readAllRefs } from '../git/refs/refs.ts';
import type { Repository } from '../git/repository.ts';

export interface Heads {
  heads: { ref: string; commit: string; isBranch: boolean }[];
  /** Refs that name something other than a commit, which has no history. */
  others: string[];
}

/** All that keeps history from being forgotten: branches, those of remotes, tags, stashes, and what is checked out somewhere. */
export async function allHeads(repository: Repository): Promise<Heads> {
  const named = await readAllRefs(repository.directory);
  for (const [ref, oid] of await checkedOut(repository)) named.set(ref, oid);
  const found: Heads = { heads: [], others: [] };
  const commits = new Map<string, string | undefined>();
  for (const [ref, oid] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!commits.has(oid)) commits.set(oid, await commitOf(repository, oid));
    const commit = commits.get(oid);
    if (commit === undefined) found.others.push(ref);
    else found.heads.push({ ref, commit, isBranch: /^refs\/(?:heads|remotes)\//.test(ref) });
  }
  return found;
}

/** A linked work tree has a HEAD of its own, which may be on no branch. */
async function checkedOut(repository: Repository): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const head = await repository.readRef('HEAD');
  if (head !== undefined) found.set('HEAD', head);
  const folder = join(repository.directory.common, 'worktrees');
  for (const name of await readdir(folder).catch(() => [])) {
    const oid = await repository.readRef(`worktrees/${name}/HEAD`);
    if (oid !== undefined) found.set(`worktrees/${name}/HEAD`, oid);
  }
  return found;
}

/** Annotated tags are followed; of a tag of a file or a tree there is none. */
async function commitOf(repository: Repository, oid: string): Promise<string | undefined> {
  return repository.resolve(oid).catch(nothingFor('GIT_REVISION_UNKNOWN'));
}
