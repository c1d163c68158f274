import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { type EndorseRequest, endorseRequest, renderRequest, requestFile } from '../../core/requests/request.ts';
import { timestamp } from '../../core/timestamp.ts';
import { git, gitOrNothing } from '../git/git.ts';
import { type CommitSummary, commitNamed, isAncestor, summaryOf } from './commits.ts';

/** As many as a request may name (schemas/request.ts): what a former branch had that operators may have accepted. */
const MOST_ABANDONED = 1024;

export interface Endorsement {
  /** What is endorsed. */
  commit: CommitSummary;
  request: EndorseRequest;
  /** Of the request, from the root. */
  file: string;
  /** What a reviewer compares with the commit: what it follows, or what it takes the place of. Absent: nothing. */
  before: string | undefined;
  /** OLD is not in this clone, so that only operators which accepted precisely it follow. */
  isOldUnseen: boolean;
  /** Commits of the former branch that do not fit into the request, the oldest ones. */
  leftOut: number;
}

/**
 * What is to be endorsed, and what is given up for it, as far as this clone shows it; writes nothing. Throws
 * ENDORSE_COMMIT_UNKNOWN, ENDORSE_COMMIT_ELSEWHERE, ENDORSE_NOTHING_GIVEN_UP.
 */
export async function endorsementOf(root: string, name: string, old: string | undefined): Promise<Endorsement> {
  const oid = await commitNamed(root, name);
  if (oid === undefined) throw unknown(name);
  // An endorsement counts in a commit that descends from what it endorses.
  if (!(await isAncestor(root, oid, 'HEAD'))) throw elsewhere(oid);
  const former = old === undefined ? undefined : await abandonedFor(root, oid, old);
  const commit = await summaryOf(root, oid);
  const request = endorseRequest({ commit: oid, abandons: former?.abandons ?? [], created: timestamp(new Date()) });
  return {
    commit,
    request,
    file: requestFile(request.id),
    before: former === undefined ? commit.parents[0] : former.seen,
    isOldUnseen: former !== undefined && former.seen === undefined,
    leftOut: former?.leftOut ?? 0,
  };
}

export async function writeEndorsement(root: string, { request, file }: Endorsement): Promise<void> {
  const path = join(root, file);
  await placeFile(path, renderRequest(request));
}

interface Abandoned {
  abandons: string[];
  /** OLD, where this clone has it. */
  seen: string | undefined;
  leftOut: number;
}

async function abandonedFor(root: string, commit: string, old: string): Promise<Abandoned> {
  const seen = await commitNamed(root, old);
  // After a forced push the forge may have forgotten it, while operators still stand on it.
  if (seen === undefined && /^[0-9a-f]{40}$/.test(old)) return { abandons: [old], seen: undefined, leftOut: 0 };
  if (seen === undefined) throw unknown(old);
  const listed = await git(root, ['rev-list', '--topo-order', seen, '--not', commit]);
  const all = listed.toString('latin1').split('\n').slice(0, -1);
  if (all.length === 0) throw nothingGivenUp(seen, commit);
  return { abandons: all.slice(0, MOST_ABANDONED), seen, leftOut: Math.max(0, all.length - MOST_ABANDONED) };
}

/** Commits it, and nothing else, signed as git is configured to sign. Throws ENDORSE_NOT_SIGNED, or what git says. */
export async function commitSigned(root: string, { commit, file }: Endorsement): Promise<string> {
  const only = ['--', `:(literal)${file}`];
  await git(root, ['add', '--force', ...only]);
  const message = `Endorse ${commit.oid.slice(0, 12)}: ${commit.subject}`;
  try {
    await git(root, ['commit', '--quiet', '--gpg-sign', '--message', message, ...only]);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    throw notSigned(file, error);
  }
  return (await git(root, ['rev-parse', 'HEAD'])).toString('latin1').trim();
}

/** Whether there is a repository to commit in, and a branch to commit to. */
export async function refuseWithoutGit(root: string): Promise<void> {
  if ((await gitOrNothing(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])) !== undefined) return;
  throw new CofferError('ENDORSE_NO_HISTORY', 'there is no git repository here, or it has no commit', {
    advice: 'Run it in a clone, on the branch that the operators follow.',
    data: { path: root },
  });
}

function unknown(name: string): CofferError {
  return new CofferError('ENDORSE_COMMIT_UNKNOWN', `this clone has no commit ${JSON.stringify(name)}`, {
    advice: 'Run `git fetch`; the operator’s status and log name a commit by all its 40 digits.',
    exit: 2,
  });
}

function elsewhere(commit: string): CofferError {
  return new CofferError('ENDORSE_COMMIT_ELSEWHERE', `the branch here does not descend from ${commit}`, {
    advice: 'Check out the branch that operators follow, and pull: an endorsement counts only after its commit.',
    data: { commit },
  });
}

function nothingGivenUp(old: string, commit: string): CofferError {
  return new CofferError('ENDORSE_NOTHING_GIVEN_UP', `${commit} descends from ${old}: there is nothing to give up`, {
    advice: 'Leave out --instead-of: operators that accepted the older one follow by themselves.',
    data: { commit },
    exit: 2,
  });
}

function notSigned(file: string, cause: CofferError): CofferError {
  return new CofferError('ENDORSE_NOT_SIGNED', `git did not make a signed commit of the request: ${cause.message}`, {
    advice: `The request is staged, and counts for nothing until it is signed. Tell git your key (docs/trust.md, "Each signer, once"), and run: git commit --gpg-sign -- ${file}`,
    data: { file },
    cause,
  });
}
