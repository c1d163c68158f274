import type { AuditLog } from '../../core/audit/log.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import type { CofferError } from '../../core/errors.ts';
import { RequestRate } from '../concurrency/request-rate.ts';

/** What is said of somebody who may not read. */
export type Denied = Required<Pick<AuditRecord, 'action' | 'actor' | 'namespace' | 'name'>> &
  Pick<AuditRecord, 'entries' | 'reason'>;

/** Milliseconds: a pod that may not mount asks again for as long as it lives. */
const LASTS = 60 * 60 * 1000;
/** At most so many are told apart; the oldest go first. */
const KEPT = 10_000;

/** Records who asked to read and may not: the same denial once an hour, and not so many that they fill the log. */
export class Denials {
  readonly #audit: Pick<AuditLog, 'append'>;
  readonly #cluster: string;
  readonly #told = new Map<string, number>();
  readonly #rate: RequestRate;
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(audit: Pick<AuditLog, 'append'>, cluster: string, now: () => number = () => performance.now()) {
    this.#audit = audit;
    this.#cluster = cluster;
    this.#now = now;
    this.#rate = new RequestRate(1, 500, now);
  }

  /** `every`: a person is told of at each try, for each has a reason of its own. Throws `AUDIT_…`. */
  async record({ code, message }: CofferError, denied: Denied, which: 'once' | 'every' = 'once'): Promise<void> {
    const key = JSON.stringify([denied.actor.user, denied.actor.podUid, denied.namespace, denied.name, code]);
    if (which === 'once' && this.#isTold(key)) return;
    if (!this.#rate.admits('all')) return;
    await this.#audit.append([{ event: 'read.denied', cluster: this.#cluster, ...denied, code, message }]);
    this.#remember(key);
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
