import { CofferError } from '../../errors.ts';
import { tagTarget } from '../commits/commit.ts';
import type { GitDirectory } from '../git-directory.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { candidateRefs, readRef } from './refs.ts';

const GRAMMAR = /^(?<base>[^~^]+)(?<steps>(?:~\d*|\^\d*)*)$/;
const ABBREVIATED = /^[0-9a-f]{4,40}$/;

/** The commit that `REVISION` of gitrevisions names, as far as Repository.resolve says it knows them. */
export async function resolveRevision(
  directory: GitDirectory,
  store: ObjectStore,
  parents: (commit: string) => readonly string[],
  revision: string,
): Promise<string> {
  const groups = GRAMMAR.exec(revision)?.groups;
  if (groups?.base === undefined) throw unknown(revision);
  const base = groups.base === '@' ? 'HEAD' : groups.base;
  let commit = peel(store, (await named(directory, base)) ?? abbreviated(store, base), revision);
  for (const [, sign, digits] of (groups.steps ?? '').matchAll(/([~^])(\d*)/g)) {
    const count = digits === '' ? 1 : Number(digits);
    for (let step = 0; step < (sign === '~' ? count : 1); step++) {
      const parent = sign === '^' && count === 0 ? commit : parents(commit)[sign === '~' ? 0 : count - 1];
      if (parent === undefined) throw unknown(revision);
      commit = parent;
    }
  }
  return commit;
}

async function named(directory: GitDirectory, name: string): Promise<string | undefined> {
  if (/^[0-9a-f]{40}$/.test(name)) return name;
  for (const ref of candidateRefs(name)) {
    const oid = await readRef(directory, ref);
    if (oid !== undefined) return oid;
  }
  return undefined;
}

function abbreviated(store: ObjectStore, prefix: string): string {
  if (!ABBREVIATED.test(prefix)) throw unknown(prefix);
  const found = store.startingWith(prefix).filter((oid) => ['commit', 'tag'].includes(store.read(oid).type));
  const [only] = found;
  if (only === undefined) throw unknown(prefix);
  if (found.length > 1) {
    throw new CofferError('GIT_REVISION_AMBIGUOUS', `${prefix} is the beginning of ${found.length} commits`, {
      advice: 'Give more of its digits.',
      exit: 2,
    });
  }
  return only;
}

function peel(store: ObjectStore, oid: string, revision: string): string {
  let name = oid;
  for (let depth = 0; depth < 10; depth++) {
    const { type, bytes } = store.read(name);
    if (type === 'commit') return name;
    const target = type === 'tag' ? tagTarget(bytes) : undefined;
    if (target === undefined) break;
    name = target;
  }
  throw unknown(revision);
}

function unknown(revision: string): CofferError {
  return new CofferError('GIT_REVISION_UNKNOWN', `the repository has no commit ${JSON.stringify(revision)}`, {
    advice: 'Name a branch, a tag, or a commit that `git log` shows.',
    exit: 2,
  });
}
