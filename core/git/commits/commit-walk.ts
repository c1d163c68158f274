import type { Repository } from '../repository.ts';
import type { Commit } from './commit.ts';
import { commitLinks } from './commit.ts';

/**
 * So many commits are read before the whole history is: mostly what is new lies directly upon what is known. Where the graph
 * knows the one side already, only the news are read anyway.
 */
const NEAR = 256;

/** Marks of a sweep: reached from the one, from the other, from a common ancestor. */
const NONE = 0;
const FIRST = 1;
const SECOND = 2;
const BOTH = FIRST | SECOND;
const BELOW = 4;

/**
 * Whether `ancestor` is `commit` or something that it descends from. Throws `GIT_OBJECT_MISSING` where the history is not
 * whole and does not say so (git's `shallow` file).
 */
export async function isAncestor(repository: Repository, ancestor: string, commit: string): Promise<boolean> {
  const { graph, objects } = repository;
  if (!graph.has(ancestor)) {
    const near = nearby(repository, commit, ancestor);
    if (near.isFound || near.isAll) return near.isFound;
  }
  const number = await graph.load(objects, commit, repository.shallow());
  const target = graph.number(ancestor);
  let isFound = false;
  graph.sweep(
    [[number, FIRST]],
    () => true,
    (reached) => {
      isFound ||= reached === target;
      // What lies below has a lower number.
      return target !== undefined && reached > target ? FIRST : NONE;
    },
  );
  return isFound;
}

/** The best common ancestors of two commits, none of which is an ancestor of another; sorted. Throws as isAncestor does. */
export async function mergeBases(repository: Repository, a: string, b: string): Promise<string[]> {
  if (a === b) return [a];
  const { graph, objects } = repository;
  const near = graph.has(a) || graph.has(b) ? undefined : nearMergeBase(repository, a, b);
  if (near !== undefined) return [near];
  const shallow = repository.shallow();
  await graph.load(objects, a, shallow);
  const second = await graph.load(objects, b, shallow);
  const first = await graph.load(objects, a, shallow);
  const best: string[] = [];
  const isOpen = (marks: number): boolean => (marks & BELOW) === 0;
  graph.sweep(
    [
      [first, FIRST],
      [second, SECOND],
    ],
    isOpen,
    (number, marks) => {
      if ((marks & BOTH) !== BOTH) return marks;
      const commit = graph.commit(number);
      if ((marks & BELOW) === 0 && commit !== undefined) best.push(commit);
      return BOTH | BELOW;
    },
  );
  return best.sort();
}

/**
 * The usual case, without the whole history: both first-parent lines meet in a commit, and whatever else was merged into either
 * since then began at it or above. Then a better common ancestor would lie above it on both sides.
 */
function nearMergeBase(repository: Repository, a: string, b: string): string | undefined {
  const meeting = firstMeeting(firstParents(repository, a), firstParents(repository, b));
  if (meeting === undefined) return undefined;
  const [aboveA, aboveB] = [nearby(repository, a, meeting), nearby(repository, b, meeting)];
  if (!aboveA.isClosed || !aboveB.isClosed) return undefined;
  const ofA = new Set(aboveA.commits);
  return aboveB.commits.some((commit) => ofA.has(commit)) ? undefined : meeting;
}

/** The first that both bring, of whom each is asked in turn. */
function firstMeeting(...lines: readonly Generator<string>[]): string | undefined {
  const seen = new Set<string>();
  for (let open = lines; open.length > 0; ) {
    const next = open.map((line) => line.next());
    for (const { value } of next) {
      if (value === undefined) continue;
      if (seen.has(value)) return value;
      seen.add(value);
    }
    open = open.filter((_, i) => next[i]?.done !== true);
  }
  return undefined;
}

function* firstParents(repository: Repository, from: string): Generator<string> {
  const shallow = repository.shallow();
  let commit: string | undefined = from;
  for (let steps = 0; commit !== undefined && steps < NEAR; steps++) {
    yield commit;
    if (shallow.has(commit)) return;
    commit = commitLinks(commit, repository.objects.read(commit)).parents[0];
  }
}

/**
 * The commits that `to` reaches and `from` does not, parents before children; without `from`, all that `to` reaches. Throws as
 * isAncestor does.
 */
export async function* commitsBetween(
  repository: Repository,
  range: { from: string | undefined; to: string },
): AsyncGenerator<Commit> {
  for (const oid of await between(repository, range)) yield await repository.readCommit(oid);
}

async function between(
  repository: Repository,
  { from, to }: { from: string | undefined; to: string },
): Promise<readonly string[]> {
  const { graph, objects } = repository;
  if (from !== undefined && !graph.has(from)) {
    const near = nearby(repository, to, from);
    if (near.isClosed) return near.commits;
  }
  const shallow = repository.shallow();
  if (from !== undefined) await graph.load(objects, from, shallow);
  const last = await graph.load(objects, to, shallow);
  const known = from === undefined ? [] : [[await graph.load(objects, from, shallow), SECOND] as const];
  const found: string[] = [];
  graph.sweep(
    [[last, FIRST], ...known],
    (marks) => marks === FIRST,
    (number, marks) => {
      const commit = graph.commit(number);
      if (marks === FIRST && commit !== undefined) found.push(commit);
      return marks;
    },
  );
  return found.reverse();
}

interface Nearby {
  /** Those that `from` reaches without passing `end`, parents before children. */
  commits: readonly string[];
  isFound: boolean;
  /** Nothing else is reached at all. */
  isAll: boolean;
  /**
   * Every way down ends at `end`. Then each of these descends from it, none of them can be what it descends from, and they are
   * all that is reached and not below it.
   */
  isClosed: boolean;
}

function nearby(repository: Repository, from: string, end: string): Nearby {
  const shallow = repository.shallow();
  const commits: string[] = [];
  const entered = new Set([from]);
  const isDone = new Set([end]);
  const stack: { commit: string; parents: readonly string[] }[] = [];
  let isFound = from === end;
  let hasOtherEnd = false;
  const enter = (commit: string): void => {
    const parents = shallow.has(commit) ? [] : commitLinks(commit, repository.objects.read(commit)).parents;
    if (parents.length === 0) hasOtherEnd = true;
    isFound ||= parents.includes(end);
    entered.add(commit);
    stack.push({ commit, parents });
  };
  if (!isFound) enter(from);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.parents.find((parent) => !isDone.has(parent));
    if (next === undefined) {
      isDone.add(top.commit);
      commits.push(top.commit);
      stack.pop();
    } else if (entered.size > NEAR) {
      return { commits: [], isFound, isAll: false, isClosed: false };
    } else {
      enter(next);
    }
  }
  return { commits, isFound, isAll: true, isClosed: !hasOtherEnd };
}
