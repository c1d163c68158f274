import { CofferError } from '../../core/errors.ts';
import type { Records } from '../../core/exposure/records.ts';

/** Whether a commit says that it is by this author or committer: a name or an address, in full. Throws EXPOSURE_WRITER for nobody's. */
export function writtenBy(who: string, { commits }: Records): (commit: string) => boolean {
  const wanted = who.toLowerCase();
  const own = commits.filter(({ author, committer }) =>
    [author, committer].some(({ name, email }) => name.toLowerCase() === wanted || email.toLowerCase() === wanted),
  );
  if (own.length === 0) {
    throw new CofferError('EXPOSURE_WRITER', `no commit of this clone is by ${JSON.stringify(who)}`, {
      advice: 'Give a name or an address as `git log --all --format="%an %ae %cn %ce"` shows it.',
      exit: 2,
    });
  }
  const oids = new Set(own.map(({ oid }) => oid));
  return (commit) => oids.has(commit);
}
