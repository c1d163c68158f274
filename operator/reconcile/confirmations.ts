import { Bug } from '../../core/errors.ts';

/** A person's word for a commit whose removals, or whose rewinding of the branch, is held: `coffer-operator --confirm COMMIT`. */
export async function confirmCommit(_stateDirectory: string, _commit: string): Promise<void> {
  throw new Bug('not written yet');
}

export async function isConfirmed(_stateDirectory: string, _commit: string): Promise<boolean> {
  throw new Bug('not written yet');
}
