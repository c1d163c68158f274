import { git, gitOrNothing } from '../git/git.ts';

/** A commit as people know it. */
export interface CommitSummary {
  oid: string;
  parents: readonly string[];
  /** `NAME <EMAIL>`, as the commit claims it. */
  author: string;
  /** ISO 8601, likewise. */
  date: string;
  subject: string;
}

/** The commit that a revision of git names; undefined where there is none in this clone. */
export async function commitNamed(root: string, name: string): Promise<string | undefined> {
  const id = await gitOrNothing(root, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  return id?.toString('latin1').trim();
}

export async function isAncestor(root: string, ancestor: string, commit: string): Promise<boolean> {
  return (await gitOrNothing(root, ['merge-base', '--is-ancestor', ancestor, commit])) !== undefined;
}

export async function summaryOf(root: string, oid: string): Promise<CommitSummary> {
  const format = '--format=%P%x00%an <%ae>%x00%aI%x00%s%x00';
  const shown = await git(root, ['show', '--no-patch', '--no-show-signature', '--no-notes', format, oid]);
  const [parents = '', author = '', date = '', subject = ''] = shown.toString('utf8').split('\0');
  return { oid, parents: parents.split(' ').filter((parent) => parent !== ''), author, date, subject };
}
