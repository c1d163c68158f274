import type { Turns } from '../turns.ts';
import type { CommitOrder } from './commit-order.ts';
import type { FileChange, HistoryFacts } from './history-facts.ts';
import { listOf } from './list-of.ts';

/** What one commit does to what is said: by all its files together, so that moving a file is no change. */
export interface Effect {
  /** Facts that no parent had in these files. */
  brought: readonly number[];
  /** Facts that the first parent had in these files, and it has not. */
  dropped: readonly number[];
}

/** So many commits are looked at between two looks at the clock. */
const TURN = 16;

/** When each fact came, and when it went from the current line. */
export class Timeline {
  readonly order: CommitOrder;
  /** Fact → place in `order` of the first commit that brought it. */
  readonly first = new Map<number, number>();
  /** Fact → places of all commits that brought it; for values only. */
  readonly bringers = new Map<number, number[]>();
  /** Fact → place of the last commit of the current line that dropped it. */
  readonly lastDropped = new Map<number, number>();
  /** Fact → numbers of paths. */
  readonly paths = new Map<number, Set<number>>();
  readonly #records: HistoryFacts;

  private constructor(records: HistoryFacts, order: CommitOrder) {
    this.#records = records;
    this.order = order;
  }

  /** Rejects as the turns do. */
  static async read(records: HistoryFacts, order: CommitOrder, turns: Turns): Promise<Timeline> {
    const timeline = new Timeline(records, order);
    for (const [place, number] of order.numbers.entries()) {
      timeline.#take(place, number);
      if (place % TURN === 0) await turns.next();
    }
    return timeline;
  }

  #take(place: number, number: number): void {
    const changes = this.#records.commits[number]?.changes ?? [];
    const { brought, dropped } = effectOf(this.#records, changes);
    for (const fact of brought) {
      if (!this.first.has(fact)) this.first.set(fact, place);
      if (this.#isValue(fact)) listOf(this.bringers, fact).push(place);
    }
    if (this.order.isCurrent(place)) for (const fact of dropped) this.lastDropped.set(fact, place);
    this.#notePaths(changes);
  }

  #notePaths(changes: readonly FileChange[]): void {
    for (const { path, after } of changes) {
      for (const fact of factsOfVersion(this.#records, after)) {
        if (!this.#isValue(fact)) continue;
        const paths = this.paths.get(fact);
        if (paths === undefined) this.paths.set(fact, new Set([path]));
        else paths.add(path);
      }
    }
  }

  #isValue(fact: number): boolean {
    return this.#records.facts[fact]?.kind === 'value';
  }
}

export function effectOf(records: HistoryFacts, changes: readonly FileChange[]): Effect {
  const first = new Set<number>();
  const others = new Set<number>();
  const after = new Set<number>();
  for (const change of changes) {
    for (const fact of factsOfVersion(records, change.before)) first.add(fact);
    for (const version of change.others) for (const fact of factsOfVersion(records, version)) others.add(fact);
    for (const fact of factsOfVersion(records, change.after)) after.add(fact);
  }
  return {
    brought: [...after].filter((fact) => !first.has(fact) && !others.has(fact)),
    dropped: [...first].filter((fact) => !after.has(fact)),
  };
}

export function factsOfVersion(records: HistoryFacts, version: number | undefined): readonly number[] {
  return version === undefined ? [] : (records.versions[version]?.facts ?? []);
}

/** Path → version, of all files that say something in a commit: what its line of first parents changed last. */
export function filesAt(records: HistoryFacts, commit: number): Map<number, number> {
  const seen = new Set<number>();
  const files = new Map<number, number>();
  for (let at: number | undefined = commit; at !== undefined; at = records.commits[at]?.parents[0]) {
    for (const { path, after } of records.commits[at]?.changes ?? []) {
      if (seen.has(path)) continue;
      seen.add(path);
      if (after !== undefined) files.set(path, after);
    }
  }
  return files;
}
