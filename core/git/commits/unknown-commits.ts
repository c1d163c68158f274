import { setImmediate } from 'node:timers/promises';
import type { Repository } from '../repository.ts';
import type { Commit } from './commit.ts';

/** After so many commits the event loop gets its turn. */
const TURN = 256;

/**
 * What these commits reach and is not known yet, parents before children; of a known commit all that it descends from is known.
 * Each is given as soon as it was read. Throws `GIT_OBJECT_MISSING` where the history is not whole and does not say so (git's
 * `shallow` file), `GIT_OBJECT_MALFORMED`.
 */
export async function* unknownCommits(
  repository: Repository,
  from: Iterable<string>,
  isKnown: (commit: string) => boolean,
): AsyncGenerator<Commit> {
  const shallow = repository.shallow();
  const given = new Set<string>();
  const isDone = (oid: string): boolean => given.has(oid) || isKnown(oid);
  let steps = 0;
  for (const head of from) {
    const stack: Commit[] = [];
    const enter = async (oid: string): Promise<void> => {
      const commit = await repository.readCommit(oid);
      stack.push(shallow.has(oid) ? { ...commit, parents: [] } : commit);
    };
    if (!isDone(head)) await enter(head);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.parents.find((parent) => !isDone(parent));
      if (next !== undefined) {
        await enter(next);
        continue;
      }
      stack.pop();
      given.add(top.oid);
      yield top;
      if (++steps % TURN === 0) await setImmediate();
    }
  }
}
