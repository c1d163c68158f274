import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditFields } from '../../core/audit/record.ts';
import type { CofferError } from '../../core/errors.ts';
import { RequestRate } from '../concurrency/request-rate.ts';

/** What is said of somebody who may not read. */
export type Denied = Required<Pick<AuditFields, 'action' | 'actor' | 'namespace' | 'name'>> &
  Pick<AuditFields, 'entries' | 'reason'>;

/** Milliseconds: a pod that may not mount asks again for as long as it lives. */
const LASTS = 60 * 60 * 1000;
/** Records of one actor at once, and of all; and so many a second in the long run. */
const OF_ONE = { perSecond: 0.1, burst: 50 };
const OF_ALL = { perSecond: 1, burst: 500 };
/** Milliseconds between two records of those that were left out. */
const SUMMED = 60 * 1000;
/** At most so many are told apart; the oldest go first. */
const KEPT = 10_000;

/**
 * Records who asked to read and may not: the same denial once an hour, and not so many that they fill the log. Of what is left out, a
 * record says how many there were: whoever asks for a thousand names hides nobody else, and not that it did.
 */
export class Denials {
  readonly #audit: Pick<AuditLog, 'append'>;
  readonly #cluster: string;
  readonly #told = new Map<string, number>();
  readonly #ofOne: RequestRate;
  readonly #ofAll: RequestRate;
  #leftOut = 0;
  #summedAt = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(audit: Pick<AuditLog, 'append'>, cluster: string, now: () => number = () => performance.now()) {
    this.#audit = audit;
    this.#cluster = cluster;
    this.#now = now;
    this.#ofOne = new RequestRate(OF_ONE.perSecond, OF_ONE.burst, now);
    this.#ofAll = new RequestRate(OF_ALL.perSecond, OF_ALL.burst, now);
  }

  /** `every`: a person is told of at each try, for each has a reason of its own. Throws `AUDIT_…`. */
  async record({ code, message }: CofferError, denied: Denied, which: 'once' | 'every' = 'once'): Promise<void> {
    await this.#sum();
    const key = JSON.stringify([denied.actor.user, denied.actor.podUid, denied.namespace, denied.name, code]);
    if (which === 'once' && this.#isTold(key)) return;
    const { user, podUid } = denied.actor;
    if (!this.#ofOne.admits(JSON.stringify([user, podUid])) || !this.#ofAll.admits('all')) {
      this.#leftOut += 1;
      await this.#sum();
      return;
    }
    await this.#audit.append([{ event: 'read.denied', cluster: this.#cluster, ...denied, code, message }]);
    this.#remember(key);
  }

  /** Once a minute at most; whoever is refused asks again, and then it is told. */
  async #sum(): Promise<void> {
    const at = this.#now();
    if (this.#leftOut === 0 || at - this.#summedAt < SUMMED) return;
    const count = this.#leftOut;
    const before = this.#summedAt;
    [this.#leftOut, this.#summedAt] = [0, at];
    try {
      const message = `${count} denials were not recorded one by one, for there were too many`;
      await this.#audit.append([{ event: 'read.denied', cluster: this.#cluster, count, message }]);
    } catch (error) {
      this.#leftOut += count;
      this.#summedAt = before;
      throw error;
    }
  }

  #isTold(key: string): boolean {
    const at = this.#told.get(key);
    return at !== undefined && this.#now() - at < LASTS;
  }

  #remember(key: string): void {
    this.#told.delete(key);
    this.#told.set(key, this.#now());
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= KEPT) return;
      this.#told.delete(oldest);
    }
  }
}
