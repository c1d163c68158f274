import type { AuditEvent, AuditLine } from '../record.ts';

/** Records of one event that somebody wants; what they say counts only where the whole log is found to be as it was signed. */
export interface WantedRecords {
  event: AuditEvent;
  /** Called after all was read, in order. */
  take: (line: AuditLine) => void;
}

/**
 * What a log says that others go by. Where an operator found records that nobody vouches for, `log.recovered` stands behind them with
 * their `count`: they are in the tree, for they may be true, and whoever owns the disk may have written them, so nothing rests on them.
 */
export class LogRecords {
  readonly witnessed: AuditLine[] = [];
  readonly #wanted: WantedRecords | undefined;
  readonly #found: AuditLine[] = [];
  readonly #pruned: AuditLine[] = [];
  readonly #recovered: AuditLine[] = [];

  constructor(wanted: WantedRecords | undefined) {
    this.#wanted = wanted;
  }

  /** Whether it is one of those that are wanted, as far as its bytes tell: to parse all takes ten times as long as to hash them. */
  mayTake(entry: Buffer): boolean {
    return entry.includes('"event":"log.') || (this.#wanted !== undefined && entry.includes(this.#wanted.event));
  }

  take(line: AuditLine): void {
    if (line.event === 'log.pruned') this.#pruned.push(line);
    if (line.event === 'log.recovered' && (line.count ?? 0) > 0) this.#recovered.push(line);
    // The checkpoint that it brings along is signed itself.
    if (line.event === 'log.witnessed') this.witnessed.push(line);
    if (line.event === this.#wanted?.event) this.#found.push(line);
  }

  /** Gives what is wanted. @returns how many records were forgotten, as records say. */
  end(): number {
    const doubtful = this.#doubtful();
    const counts = ({ sequence }: AuditLine) => !doubtful.some(({ from, to }) => from <= sequence && sequence <= to);
    for (const line of this.#found) if (counts(line)) this.#wanted?.take(line);
    return this.#pruned.filter(counts).reduce((most, { count }) => Math.max(most, count ?? 0), 0);
  }

  /** From the last: one that is doubted itself casts no doubt on others. */
  #doubtful(): { from: number; to: number }[] {
    const found: { from: number; to: number }[] = [];
    let begin = Infinity;
    for (const { sequence, count } of this.#recovered.toReversed()) {
      if (sequence >= begin) continue;
      begin = sequence - Number(count);
      found.push({ from: begin, to: sequence - 1 });
    }
    return found;
  }
}
