import type { CofferError } from '../../core/errors.ts';
import type { Status } from '../status/status.ts';

/** Work beside the projection, which a new commit may bring: keys to make, requests to fulfil. */
export interface Chore {
  /** At the start and after every poll; cheap when there is nothing. Throws nothing but mistakes of ours. */
  look(): Promise<void>;
  /** What stood in the way at the last look. */
  troubles(): readonly CofferError[];
  /** Where a look only begins the work: resolves when that has ended. */
  settled?(): Promise<void>;
  /** What of it people see beside troubles. */
  status?(): Partial<Status>;
}
