import { mkdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditActor } from '../../../core/audit/record.ts';
import { CofferError } from '../../../core/errors.ts';
import { flush, writeFileAtomically } from '../../../core/files/atomic.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { hostUserFrom, hostUserLine } from '../../process/host-user.ts';
import { COMMIT, namedCommits } from '../../trust/named-commits.ts';

/**
 * A person's word for removals: of a commit that removes more than the configured share of the secrets, or that leaves the source
 * empty: `coffer-operator --config FILE --confirm COMMIT`. It is a file in the state directory, so that it can be given while the
 * operator runs and while it does not. It counts once: it is consumed when what it allowed is settled on disk, so that the same
 * commit is asked about again when it comes again.
 */
export async function confirmCommit(stateDirectory: string, commit: string): Promise<void> {
  if (!COMMIT.test(commit)) {
    throw new CofferError('CONFIRM_COMMIT_INVALID', `${JSON.stringify(commit)} is not a full commit id`, {
      advice: 'Give the 40 digits that the status shows with what is held.',
      exit: 2,
    });
  }
  await mkdir(folder(stateDirectory), { recursive: true, mode: 0o700 });
  await flush(stateDirectory);
  await writeFileAtomically(join(folder(stateDirectory), commit), `${hostUserLine()}\n`, { mode: 0o600 });
}

/** Of which commits a person said so, and which is not consumed. */
export function confirmedCommits(stateDirectory: string): Promise<string[]> {
  return namedCommits(folder(stateDirectory));
}

/** Who said so, as far as that is known. */
export async function whoConfirmed(stateDirectory: string, commit: string): Promise<AuditActor | undefined> {
  return hostUserFrom((await readIfThere(join(folder(stateDirectory), commit))).trim());
}

/** What it allowed is settled: it counts no more, and that is on disk. */
export async function consumeConfirmation(stateDirectory: string, commit: string): Promise<void> {
  await unlink(join(folder(stateDirectory), commit));
  await flush(folder(stateDirectory));
}

export async function isConfirmed(stateDirectory: string, commit: string): Promise<boolean> {
  return (await confirmedCommits(stateDirectory)).includes(commit);
}

function folder(stateDirectory: string): string {
  return join(stateDirectory, 'confirmed');
}
