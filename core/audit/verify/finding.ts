/** What was done to a log. */
export type FindingKind =
  | 'edited'
  | 'deleted'
  | 'inserted'
  | 'reordered'
  /** Records that a checkpoint covers are gone from the end. */
  | 'truncated'
  /** The same identity signed two logs under one name: somebody showed one and kept the other. */
  | 'forked'
  /** Another log stands where this one was. */
  | 'replaced-log'
  /** One that another log has seen, and that is not among those that are verified. */
  | 'missing-log'
  /** Of a bundle: text that it does not bring along, and should. */
  | 'absent'
  /** Signed by a key that is not pinned. */
  | 'replaced-key'
  /** A checkpoint's text is not what was signed. */
  | 'altered-checkpoint'
  /** Hashes on disk are not those of the records, which are as they were signed. */
  | 'altered-tile'
  | 'unsigned'
  | 'malformed';

/** One thing that is not as it was signed, and where. */
export interface Finding {
  kind: FindingKind;
  /** Of records, counted from 1, as far as it is known; both ends belong to it. */
  from?: number;
  to?: number;
  /** In plain words, with the place. */
  message: string;
}

/** Runs of record numbers, from indexes that count from 0. */
export function runs(indexes: readonly number[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last?.to === index) last.to = index + 1;
    else found.push({ from: index + 1, to: index + 1 });
  }
  return found;
}

export const plural = (from: number, to: number) => (from === to ? `record ${from}` : `the records ${from} to ${to}`);
