import { join } from 'node:path';
import { ExposureCache } from '../../core/exposure/cache.ts';
import type { RecordedComparisons } from '../../core/exposure/comparisons.ts';
import type { ExposureReport } from '../../core/exposure/exposure.ts';
import { findExposure } from '../../core/exposure/find-exposure.ts';
import type { HistoryFacts } from '../../core/exposure/history-facts.ts';
import { listedKeys } from '../../core/exposure/lost-keys.ts';
import { readDifference, readHistory } from '../../core/exposure/read-history.ts';
import type { Accepted, Source } from '../source/source.ts';
import { RevokedMemory } from './revoked-memory.ts';

/** What of one source's accepted state is exposed, by the history that its clone has. */
export class SourceExposure {
  readonly source: Source;
  state: Accepted | undefined;
  report: ExposureReport | undefined;
  /** Whether the clone reaches back to the first commit. */
  isWhole = false;
  readonly #file: string;
  /** Keys that an accepted state called revoked, and that the current one does not any more. */
  takenBack: readonly string[] = [];
  readonly #revoked: RevokedMemory;
  /** Of the last report: its commit, how many commits the records had, how many comparisons, how many files were held back. */
  #reported = { commit: '', read: 0, compared: 0, held: 0 };
  #cache: { of: string; cache: ExposureCache } | undefined;

  constructor(source: Source, stateDirectory: string) {
    this.source = source;
    this.#file = join(stateDirectory, 'exposure', `${source.id}.history`);
    this.#revoked = new RevokedMemory(join(stateDirectory, 'exposure', `${source.id}.revoked`));
  }

  /** Of the last look. */
  get records(): HistoryFacts | undefined {
    return this.#cache?.cache.records;
  }

  /** Needs `sodiumReady`. Throws GIT_*, and the reason of the signal. */
  async look(state: Accepted, compared: RecordedComparisons, signal: AbortSignal): Promise<ExposureReport> {
    const { repository } = this.source;
    const shallow = repository.shallow();
    const cache = await this.#cacheFor(shallow, signal);
    await readHistory(repository, cache.records, [state.commit], { signal });
    const instead = await readDifference(repository, cache.records, state);
    await cache.save(signal);
    const { size } = compared;
    if (this.report !== undefined && instead.size === 0 && this.#saysTheSame(cache.records, state.commit, size)) {
      this.state = state;
      return this.report;
    }
    const number = cache.records.commitOf(state.commit);
    const listed = listedKeys(cache.records, number === undefined ? [] : [number], instead);
    const revoked = [...listed].flatMap(([kid, status]) => (status === 'revoked' ? [kid] : []));
    const known = await this.#revoked.learn(revoked);
    this.takenBack = [...known].filter((kid) => listed.has(kid) && !revoked.includes(kid));
    const heads = [{ ref: 'accepted', commit: state.commit, isBranch: false }];
    // What is held back is in the history too: it must not have every value made anew.
    const select = { kind: 'revoked', says: 'current', known } as const;
    const report = await findExposure(cache.records, {
      select,
      current: [state.commit],
      heads,
      compared,
      instead,
      signal,
    });
    this.isWhole = shallow.size === 0 && report.gaps.length === 0;
    this.state = state;
    this.report = report;
    this.#reported = { commit: state.commit, read: cache.records.commits.length, compared: size, held: instead.size };
    return report;
  }

  /** A look at a long history takes a second: not for commits upon the last one that say nothing of secrets. */
  #saysTheSame(records: HistoryFacts, commit: string, size: number): boolean {
    const { commits } = records;
    const { read, compared, held } = this.#reported;
    if (held > 0 || compared !== size) return false;
    let at = records.commitOf(commit);
    for (; at !== undefined && at >= read; at = commits[at]?.parents[0]) {
      if (commits[at]?.parents.length !== 1 || commits[at]?.changes.length !== 0) return false;
    }
    return at !== undefined && commits[at]?.oid === this.#reported.commit;
  }

  async #cacheFor(shallow: ReadonlySet<string>, signal: AbortSignal): Promise<ExposureCache> {
    const of = [...shallow].sort().join();
    const kept = this.#cache;
    if (kept?.of === of) return kept.cache;
    const cache = await ExposureCache.open(this.#file, shallow, { signal });
    this.#cache = { of, cache };
    return cache;
  }
}
