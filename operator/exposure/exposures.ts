import type { Chore } from '../follow/chore.ts';

/** What of the accepted states is exposed, by the history at hand. */
export interface Exposures extends Chore {
  /** Whether the current value of an entry is one that a revoked key could open. What was only sealed anew is compared first. */
  exposed(namespace: string, name: string, entry: string): boolean;
}
