import { join } from 'node:path';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import { ExposureCache } from '../../core/exposure/cache.ts';
import { allHeads, type Heads } from '../../core/exposure/heads.ts';
import type { HistoryFacts } from '../../core/exposure/history-facts.ts';
import { readHistory } from '../../core/exposure/read-history.ts';
import { openRepository, type Repository } from '../../core/git/repository.ts';

/** Below the git directory, which is never committed. */
const CACHE = join('coffer', 'exposure');

export interface CloneHistory extends Heads {
  repository: Repository;
  records: HistoryFacts;
  /** Commits whose parents this clone leaves out. */
  shallow: ReadonlySet<string>;
}

/**
 * All that this clone knows of the past; what former runs read is not read again. The caller closes the repository. Throws
 * EXPOSURE_SHALLOW where the clone has only a part and `isPartial` does not say that this will do, EXPOSURE_PARTIAL_CLONE.
 */
export async function readClone(
  folder: string,
  { isPartial, onProgress }: { isPartial: boolean; onProgress?: ((commits: number) => void) | undefined },
): Promise<CloneHistory> {
  await sodiumReady();
  const repository = await openRepository(folder);
  try {
    const shallow = repository.shallow();
    if (shallow.size > 0 && !isPartial) throw shallowClone();
    const heads = await allHeads(repository);
    const cache = await ExposureCache.open(join(repository.directory.common, CACHE), shallow);
    const commits = heads.heads.map(({ commit }) => commit);
    try {
      await readHistory(repository, cache.records, commits, { onProgress });
    } finally {
      await cache.save();
    }
    return { repository, records: cache.records, shallow, ...heads };
  } catch (error) {
    repository.close();
    throw error instanceof CofferError && error.code === 'GIT_OBJECT_MISSING' ? partialClone(error) : error;
  }
}

function shallowClone(): CofferError {
  return new CofferError(
    'EXPOSURE_SHALLOW',
    'This clone has only a part of the history, so that no number is the whole one.',
    {
      advice:
        'Fetch all of it: `git fetch --unshallow`; in CI `fetch-depth: 0` of actions/checkout, or `GIT_DEPTH: 0` on GitLab. With --partial it tells what is there.',
    },
  );
}

function partialClone(cause: CofferError): CofferError {
  return new CofferError('EXPOSURE_PARTIAL_CLONE', 'Some objects of the history are not in this clone.', {
    advice: 'Use a clone that was made without --filter, and run `git fsck` there if it was.',
    data: cause.data,
    cause,
  });
}
