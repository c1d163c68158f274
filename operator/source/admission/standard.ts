import type { Policy } from '../../../core/trust/policy/policy.ts';
import type { Acceptance } from '../../trust/acceptances.ts';
import type { Floor } from '../../trust/floors.ts';

/** What verdicts depend on beside the commit. */
export interface Standard {
  policy: Policy | undefined;
  /** What a person accepted, the last given first. */
  acceptances: readonly Acceptance[];
  /** The operator was told to follow this commit although it leaves nothing. */
  isConfirmed: boolean;
  /** What another replica accepted later than this clone, or an earlier run whose clone is lost. */
  ahead: Floor | undefined;
  /** Ends the judging. */
  signal: AbortSignal;
  /** The same for the same standard. */
  key: string;
}
