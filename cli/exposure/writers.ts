import { CofferError } from '../../core/errors.ts';
import type { HistoryFacts } from '../../core/exposure/history-facts.ts';
import { readSigned } from '../../core/git/commits/signed-object.ts';
import type { Repository } from '../../core/git/repository.ts';
import { isSignedWith } from '../../core/signatures/ssh/signing-key.ts';

/**
 * Whether a commit is by this person: a name or an address, in full, which it gives as author or committer, or `SHA256:…` of the SSH key
 * that signed it. Throws EXPOSURE_WRITER for nobody's.
 */
export function writtenBy(who: string, { commits }: HistoryFacts, repository: Repository): (commit: string) => boolean {
  const isOwn = who.startsWith('SHA256:') ? signedWith(who, repository) : claimedBy(who.toLowerCase());
  const oids = new Set(commits.filter(isOwn).map(({ oid }) => oid));
  if (oids.size > 0) return (commit) => oids.has(commit);
  throw new CofferError('EXPOSURE_WRITER', `No commit of this clone is by ${JSON.stringify(who)}.`, {
    advice:
      'Give a name or an address as `git log --all --format="%an %ae %cn %ce"` shows it, or a fingerprint as `ssh-keygen -l -f KEY.pub` does.',
    exit: 2,
  });
}

type IsOwn = (commit: HistoryFacts['commits'][number]) => boolean;

function claimedBy(wanted: string): IsOwn {
  return ({ author, committer }) =>
    [author, committer].some(({ name, email }) => name.toLowerCase() === wanted || email.toLowerCase() === wanted);
}

function signedWith(fingerprint: string, repository: Repository): IsOwn {
  return ({ oid }) => {
    try {
      return isSignedWith(readSigned('commit', oid, repository.readRaw(oid).bytes), fingerprint);
    } catch (error) {
      // What git would not write is no signature.
      if (error instanceof CofferError && error.code !== 'GIT_OBJECT_MISSING') return false;
      throw error;
    }
  };
}
