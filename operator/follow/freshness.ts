import { milliseconds } from '../../core/duration.ts';
import { CofferError } from '../../core/errors.ts';
import type { GitConfig } from '../config/settings.ts';
import { type SourceStatus, troubleOf } from '../status/status.ts';

const STALE_AFTER = '1h';

interface Limits {
  /** Milliseconds. */
  staleAfter: number;
  quietAfter: number | undefined;
  /** By `Date.now()`: of the last look that succeeded; else when this run began. */
  seen: number;
  hasSucceeded: boolean;
}

/**
 * Alarms for a source that fails for long, and for one of which nothing new came for long: whoever keeps commits from an operator
 * (by breaking the way to the server, or by a server that shows an old state) makes no noise else.
 */
export class Freshness {
  readonly #sources = new Map<string, Limits>();
  readonly #now: () => number;

  constructor(sources: readonly { id: string; git: Pick<GitConfig, 'staleAfter' | 'quietAfter'> }[], now = Date.now) {
    this.#now = now;
    for (const { id, git } of sources) {
      const { staleAfter = STALE_AFTER, quietAfter } = git;
      this.#sources.set(id, {
        ...{ staleAfter: milliseconds(staleAfter), seen: now(), hasSucceeded: false },
        quietAfter: quietAfter === undefined ? undefined : milliseconds(quietAfter),
      });
    }
  }

  succeeded(id: string): void {
    const source = this.#sources.get(id);
    if (source === undefined) return;
    source.seen = this.#now();
    source.hasSucceeded = true;
  }

  /** The same with what is known of its age, and with an alarm where that is too much. */
  of(status: SourceStatus): SourceStatus {
    const source = this.#sources.get(status.id);
    if (source === undefined) return status;
    const { seen, hasSucceeded, staleAfter, quietAfter } = source;
    const since = new Date(seen).toISOString();
    const isStale = this.#now() - seen > staleAfter;
    const newest = status.acceptedAt;
    const isQuiet = quietAfter !== undefined && newest !== undefined && this.#now() - Date.parse(newest) > quietAfter;
    const alarms = [...(isStale ? [stale(status, since)] : []), ...(isQuiet ? [quiet(status, newest)] : [])];
    return {
      ...status,
      ...(hasSucceeded ? { lastSuccess: since } : {}),
      ...(isStale ? { staleSince: since } : {}),
      ...(isQuiet ? { quietSince: newest } : {}),
      problems: [...status.problems, ...alarms.map(troubleOf)],
    };
  }
}

function stale({ id, address }: SourceStatus, since: string): CofferError {
  return new CofferError('SOURCE_STALE', `${address}: no look has succeeded since ${since}`, {
    advice: 'Look at what the last look said; what is projected is as old as that.',
    data: { source: id },
    loop: 'retry',
  });
}

function quiet({ id, address, commit }: SourceStatus, since: string): CofferError {
  return new CofferError('SOURCE_QUIET', `${address}: nothing new has come since ${since}`, {
    advice:
      'Compare the commit with the one that people see at the forge: a server or a mirror may be showing an old state. Else raise `quietAfter`.',
    data: { source: id, ...(commit === undefined ? {} : { commit }) },
  });
}
