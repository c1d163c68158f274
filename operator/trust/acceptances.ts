import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditActor } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import { flush, writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { hostUserFrom, hostUserLine } from '../process/host-user.ts';
import { COMMIT, namedCommits } from './named-commits.ts';

/** A word that nobody needed must not let in, long after, what was forgotten. In milliseconds. */
const LIFETIME = 24 * 60 * 60 * 1000;

/** A word for a commit. One that is given anew for the same commit is another. */
export interface Acceptance {
  commit: string;
  /** RFC 3339 in UTC. */
  given: string;
  /** Who gave it; absent: by a version that did not say. */
  by?: AuditActor;
}

/**
 * A person's word that a commit is good, whoever signed it and whatever was accepted before: `coffer-operator accept COMMIT`. It
 * is a file in the state directory, for each source one, so that it can be given while the operator runs and while it does not.
 * It counts once, for the commit or for what descends from it, and for a day.
 *
 * Throws `ACCEPT_COMMIT_INVALID`.
 */
export async function giveAcceptance(
  stateDirectory: string,
  sources: readonly string[],
  commit: string,
): Promise<void> {
  if (!COMMIT.test(commit)) {
    throw new CofferError('ACCEPT_COMMIT_INVALID', `${JSON.stringify(commit)} is not a full commit id`, {
      advice: 'Give the 40 digits that the status shows with what is refused.',
      exit: 2,
    });
  }
  for (const source of sources) {
    await mkdir(folder(stateDirectory, source), { recursive: true, mode: 0o700 });
    for (const above of [stateDirectory, join(stateDirectory, 'accepts')]) await flush(above);
    const given = new Date().toISOString();
    await writeFileAtomically(join(folder(stateDirectory, source), commit), `${given}\n${hostUserLine()}\n`, {
      mode: 0o600,
    });
  }
}

/** What a person accepted for a source and was not used; the last given first. */
export async function acceptancesOf(stateDirectory: string, source: string, now: Date): Promise<Acceptance[]> {
  const found: Acceptance[] = [];
  for (const commit of await namedCommits(folder(stateDirectory, source))) {
    const word = await wordFor(stateDirectory, source, commit);
    if (now.getTime() - Date.parse(word.given) < LIFETIME) found.push(word);
    else await spendAcceptance(stateDirectory, source, word);
  }
  return found.sort((a, b) => Date.parse(b.given) - Date.parse(a.given));
}

/** It counts no more, and that is on disk. One that was given for the same commit meanwhile does. */
export async function spendAcceptance(stateDirectory: string, source: string, used: Acceptance): Promise<void> {
  if ((await wordFor(stateDirectory, source, used.commit)).given !== used.given) return;
  await rm(join(folder(stateDirectory, source), used.commit), { force: true });
  await flush(folder(stateDirectory, source));
}

/** Given `''`: it is not there. */
async function wordFor(stateDirectory: string, source: string, commit: string): Promise<Acceptance> {
  const text = await readIfThere(join(folder(stateDirectory, source), commit));
  const [given = '', line = ''] = text.trim().split('\n');
  const by = hostUserFrom(line);
  return { commit, given, ...(by === undefined ? {} : { by }) };
}

function folder(stateDirectory: string, source: string): string {
  return join(stateDirectory, 'accepts', source);
}
