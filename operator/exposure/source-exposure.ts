import { join } from 'node:path';
import { ExposureCache } from '../../core/exposure/cache.ts';
import type { Comparisons, ExposureReport } from '../../core/exposure/exposure.ts';
import { findExposure } from '../../core/exposure/find-exposure.ts';
import { readDifference, readHistory } from '../../core/exposure/read-history.ts';
import type { Records } from '../../core/exposure/records.ts';
import type { Accepted, Source } from '../source/source.ts';

/** What of one source's accepted state is exposed, by the history that its clone has. */
export class SourceExposure {
  readonly source: Source;
  state: Accepted | undefined;
  report: ExposureReport | undefined;
  /** Whether the clone reaches back to the first commit. */
  isWhole = false;
  readonly #file: string;
  #cache: { of: string; cache: ExposureCache } | undefined;

  constructor(source: Source, stateDirectory: string) {
    this.source = source;
    this.#file = join(stateDirectory, 'exposure', `${source.id}.history`);
  }

  /** Of the last look. */
  get records(): Records | undefined {
    return this.#cache?.cache.records;
  }

  /** Needs `sodiumReady`. Throws GIT_*, and the reason of the signal. */
  async look(state: Accepted, compared: Comparisons, signal: AbortSignal): Promise<ExposureReport> {
    const { repository } = this.source;
    const shallow = repository.shallow();
    const cache = await this.#cacheFor(shallow);
    await readHistory(repository, cache.records, [state.commit], { signal });
    const instead = await readDifference(repository, cache.records, state);
    await cache.save();
    const heads = [{ ref: 'accepted', commit: state.commit, isBranch: false }];
    const report = findExposure(cache.records, {
      // What is held back is in the history too: it must not have every value made anew.
      select: { kind: 'revoked', says: 'current' },
      current: [state.commit],
      heads,
      compared,
      instead,
    });
    this.isWhole = shallow.size === 0 && report.gaps.length === 0;
    this.state = state;
    this.report = report;
    return report;
  }

  async #cacheFor(shallow: ReadonlySet<string>): Promise<ExposureCache> {
    const of = [...shallow].sort().join();
    const kept = this.#cache;
    if (kept?.of === of) return kept.cache;
    const cache = await ExposureCache.open(this.#file, shallow);
    this.#cache = { of, cache };
    return cache;
  }
}
