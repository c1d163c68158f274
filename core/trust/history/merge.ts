import { CofferError } from '../../errors.ts';
import { mergeBases } from '../../git/commits/commit-walk.ts';
import type { Commit, Repository } from '../../git/repository.ts';
import type { Side } from '../../git/trees/changes.ts';
import { type Aspects, noAspects } from '../aspects/aspects.ts';
import type { Scope } from '../aspects/scope.ts';
import type { Holding } from '../holding.ts';
import { hold, proposal } from './proposals.ts';
import { type AspectState, SET, State } from './state.ts';
import { digestOf, type Proposal } from './violation.ts';

export interface Parent {
  commit: Commit;
  state: State;
  /** Whether it descends from the accepted commit, or is it. */
  isDescended: boolean;
}

export interface MergeParts {
  repository: Repository;
  scope: Scope;
  holding: Holding;
}

export interface Merged {
  /** Of what the parents say; the merge's own proposals are still to be judged. */
  state: State;
  proposals: Proposal[];
  /** Files that differ from a parent which descends from the accepted commit, or from any where none does. */
  brought: ReadonlyMap<string, Side | undefined>;
  /** Whether anything in scope differs from any parent. */
  isTouching: boolean;
}

/** More are not judged: whoever pushes chooses them and their order, and git itself makes such merges of no more than a few. */
export const MOST_PARENTS = 64;
/** Of so many the three-way merge is looked at: pairs of parents grow with the square. */
const MOST_COMPARED = 8;
/** Files that differ, as often as there are parents and common ancestors: all are held at once. */
const MOST_SIDES = 500_000;

/**
 * What a merge does itself. Each aspect whose text is what the three-way merge of the parents' texts gives is as the parent had
 * it that changed it, with whatever is wrong there; every other one is the merge's own change. All merge bases of all pairs of
 * parents have to agree, else it is the merge's own too: a criss-cross or an octopus merge is judged more strictly, never less.
 * Throws `TRUST_MERGE_TOO_WIDE`, `TRUST_CHANGES_TOO_LARGE`.
 */
export class Merge {
  readonly #repository: Repository;
  readonly #scope: Scope;
  readonly #commit: Commit;
  readonly #parents: readonly Parent[];
  readonly #holding: Holding;
  readonly #state = new State();
  readonly #proposals: Proposal[] = [];
  #bases: readonly ReadonlyMap<string, Side | undefined>[] | undefined;
  #sides = 0;

  constructor({ repository, scope, holding }: MergeParts, commit: Commit, parents: readonly Parent[]) {
    this.#repository = repository;
    this.#scope = scope;
    this.#holding = holding;
    this.#commit = commit;
    this.#parents = parents;
  }

  async read(): Promise<Merged> {
    if (this.#parents.length > MOST_PARENTS) throw mergeTooWide(this.#commit.oid);
    const brought = new Map<string, Side | undefined>();
    const sidesOf = await this.#changedFiles();
    await this.#inheritEqualFiles(new Set(sidesOf.keys()));
    for (const [path, { sides, now }] of sidesOf) {
      if (this.#mainline().some((index) => !isSame(sides[index], now))) brought.set(path, now);
      await this.#scope.turn();
      if (!(await this.#inheritFile(path, sides, now))) await this.#aspects(path, sides, now);
    }
    return { state: this.#state, proposals: this.#proposals, brought, isTouching: sidesOf.size > 0 };
  }

  /** Every file that differs from some parent, as each parent has it. */
  async #changedFiles(): Promise<Map<string, { sides: (Side | undefined)[]; now: Side | undefined }>> {
    const files = new Map<string, { sides: (Side | undefined)[]; now: Side | undefined }>();
    for (const [index, { commit }] of this.#parents.entries()) {
      for (const { path, before, after } of await this.#scope.changes(commit.tree, this.#commit.tree)) {
        let file = files.get(path);
        if (file === undefined) {
          this.#count(this.#parents.length);
          file = { sides: this.#parents.map(() => after), now: after };
          files.set(path, file);
        }
        file.sides[index] = before;
      }
    }
    return files;
  }

  #count(sides: number): void {
    this.#sides += sides;
    if (this.#sides > MOST_SIDES) throw mergeTooWide(this.#commit.oid);
  }

  async #inheritEqualFiles(changed: ReadonlySet<string>): Promise<void> {
    const paths = new Set<string>();
    for (const { state } of this.#parents) for (const path of state.paths) paths.add(path);
    for (const path of paths) {
      await this.#scope.turn();
      if (changed.has(path)) continue;
      if (this.#isBadIn(path, this.#all())) {
        const side = await this.#scope.fileAt(this.#commit.tree, path);
        await this.#aspects(path, Array(this.#parents.length).fill(side), side);
      } else {
        this.#inherit(path, this.#all());
      }
    }
  }

  /** Where nothing is wrong on any of these sides. */
  #inherit(path: string, parents: readonly number[]): void {
    for (const aspect of this.#touched(path)) {
      this.#state.set(path, aspect, this.#united(path, aspect, parents, false));
    }
  }

  /** Whole files that only some parents changed, all of these alike, and no other touched: they need not be read. */
  async #inheritFile(path: string, sides: readonly (Side | undefined)[], now: Side | undefined): Promise<boolean> {
    const has = this.#all().filter((index) => isSame(sides[index], now));
    if (has.length === 0 || this.#parents.length > MOST_COMPARED) return false;
    const others = this.#all().filter((index) => !has.includes(index));
    if (others.some((index) => this.#parents[index]?.state.file(path).size !== 0)) return false;
    const bases = await this.#baseSides(path, now);
    if (bases.some((base) => others.some((index) => !isSame(sides[index], base)))) return false;
    if (bases.length === 0 && others.some((index) => sides[index] !== undefined)) return false;
    if (has.length > 1 && this.#isBadIn(path, has)) return false;
    this.#inherit(path, has);
    return true;
  }

  async #aspects(path: string, sides: readonly (Side | undefined)[], now: Side | undefined): Promise<void> {
    const to = await this.#scope.aspects(path, now);
    const from: Aspects[] = [];
    for (const side of sides) from.push(await this.#scope.aspects(path, side));
    const names = new Set([to, ...from].flatMap((aspects) => [...aspects.keys()]));
    const bases: Aspects[] = [];
    const isOwn = this.#parents.length > MOST_COMPARED;
    for (const side of isOwn ? [] : await this.#baseSides(path, now)) bases.push(await this.#scope.aspects(path, side));
    for (const aspect of names.union(this.#touched(path)))
      this.#aspect(path, aspect, from, to, isOwn ? undefined : bases);
  }

  #aspect(
    path: string,
    aspect: string,
    from: readonly Aspects[],
    to: Aspects,
    bases: readonly Aspects[] | undefined,
  ): void {
    const texts = from.map((aspects) => aspects.get(aspect)?.text);
    const now = to.get(aspect)?.text;
    const baseTexts = bases?.map((aspects) => aspects.get(aspect)?.text);
    const isNew = (text: string | undefined) => baseTexts?.every((base) => base !== text) === true;
    if (texts.every((text) => text === now)) {
      this.#state.set(path, aspect, this.#united(path, aspect, this.#all(), isNew(now)));
      return;
    }
    const result = baseTexts && this.#threeWay(new Set(baseTexts), texts);
    const given = result && this.#united(path, aspect, result.givers, isNew(result.text));
    // What is wrong where the text comes from stays so, whoever merges it.
    const isOpen = given?.bad === undefined && this.#isOverFault(path, aspect, result?.givers ?? []);
    if (result === undefined || isOpen) {
      this.#propose(path, aspect, from, to);
      return;
    }
    this.#state.set(path, aspect, this.#overSet(path, aspect, texts, result.givers, given));
    if (result.text !== now) this.#propose(path, aspect, from, to, { digest: digestOf(result.text) });
  }

  #propose(path: string, aspect: string, from: readonly Aspects[], to: Aspects, undo?: Proposal['undo']): void {
    const former = from.find((aspects) => aspects.has(aspect)) ?? noAspects();
    const made = proposal(path, aspect, former, to);
    hold(this.#holding, made);
    this.#proposals.push({ ...made, isUsual: false, ...(undo === undefined ? {} : { undo }) });
  }

  /** What merging the parents' texts gives, and the parents who gave it; undefined: a conflict, or bases that disagree. */
  #threeWay(
    bases: ReadonlySet<string | undefined>,
    texts: readonly (string | undefined)[],
  ): { text: string | undefined; givers: readonly number[] } | undefined {
    if (bases.size > 1) return undefined;
    const [base] = bases;
    const changers = this.#all().filter((index) => texts[index] !== base);
    const [first] = changers;
    if (first === undefined) return { text: base, givers: this.#all() };
    return changers.every((index) => texts[index] === texts[first])
      ? { text: texts[first], givers: changers }
      : undefined;
  }

  /** A file as it is in the best common ancestors of every two parents. */
  async #baseSides(path: string, now: Side | undefined): Promise<(Side | undefined)[]> {
    this.#bases ??= await this.#readBases();
    return this.#bases.map((changed) => (changed.has(path) ? changed.get(path) : now));
  }

  /** For each of these ancestors the files that differ from the merge's, as they are there. */
  async #readBases(): Promise<ReadonlyMap<string, Side | undefined>[]> {
    const commits = new Set<string>();
    for (const [index, { commit }] of this.#parents.entries()) {
      for (const { commit: other } of this.#parents.slice(index + 1)) {
        await this.#scope.turn();
        for (const base of await mergeBases(this.#repository, commit.oid, other.oid)) commits.add(base);
      }
    }
    const trees = new Set<string>();
    for (const commit of commits) trees.add((await this.#repository.readCommit(commit)).tree);
    const bases = [];
    for (const tree of trees) {
      const changes = await this.#scope.changes(tree, this.#commit.tree);
      this.#count(changes.length);
      bases.push(new Map(changes.map(({ path, before }) => [path, before])));
    }
    return bases;
  }

  /**
   * How an aspect came to be that all of these parents have alike. Who set it so on one side and may has said that it is right,
   * if that is new (`isNew`: no merge base has it). Else it may be what the other side had, moved on from, and was taken back to.
   * A parent that has it untouched since the accepted commit speaks for it too, unless the others undid what somebody who may had
   * set: else merging an older state would undo that unseen.
   */
  #united(path: string, aspect: string, parents: readonly number[], isNew: boolean): AspectState | undefined {
    const entries = parents.map((index) => this.#parents[index]?.state.get(path, aspect));
    const bad = entries.flatMap((entry) => entry?.bad ?? []);
    const [first] = bad;
    const isSet = entries.some((entry) => entry !== undefined && entry.bad === undefined);
    if (isSet && (isNew || first === undefined)) return SET;
    if (first === undefined) return undefined;
    const isUntouched =
      !isSet && parents.some((index, at) => entries[at] === undefined && this.#parents[index]?.isDescended);
    if (isUntouched && bad.every(({ before }) => before?.isSet === false)) return undefined;
    const { before, ...others } = first;
    // Where somebody set it so who may, undoing that is no way out.
    const isAgreed =
      !isSet && bad.every((other) => other.before?.digest === before?.digest && other.before?.isSet === before?.isSet);
    return { bad: before !== undefined && isAgreed ? first : others };
  }

  /** What is wrong and takes the place of what somebody set who may: to put it back means that, not what its branch began with. */
  #overSet(
    path: string,
    aspect: string,
    texts: readonly (string | undefined)[],
    givers: readonly number[],
    given: AspectState | undefined,
  ): AspectState | undefined {
    if (given?.bad === undefined) return given;
    const set = this.#all().filter((index) => {
      const state = this.#parents[index]?.state.get(path, aspect);
      return !givers.includes(index) && state !== undefined && state.bad === undefined;
    });
    const [text, ...others] = new Set(set.map((index) => texts[index]));
    if (set.length === 0) return given;
    const { before: _branchs, ...bad } = given.bad;
    return { bad: others.length > 0 ? bad : { ...bad, before: { digest: digestOf(text), isSet: true } } };
  }

  /** Whether a parent whose text is not taken had it from somebody who must not: then nothing follows from that it was left. */
  #isOverFault(path: string, aspect: string, givers: readonly number[]): boolean {
    return this.#parents.some(
      ({ state }, index) => !givers.includes(index) && state.get(path, aspect)?.bad !== undefined,
    );
  }

  #isBadIn(path: string, parents: readonly number[]): boolean {
    return parents.some((index) => {
      const states = this.#parents[index]?.state.file(path).values() ?? [];
      return [...states].some(({ bad }) => bad !== undefined);
    });
  }

  #touched(path: string): Set<string> {
    return new Set(this.#parents.flatMap(({ state }) => [...state.file(path).keys()]));
  }

  #mainline(): number[] {
    const descended = this.#all().filter((index) => this.#parents[index]?.isDescended);
    return descended.length > 0 ? descended : this.#all();
  }

  #all(): number[] {
    return [...this.#parents.keys()];
  }
}

function mergeTooWide(commit: string): CofferError {
  return new CofferError(
    'TRUST_MERGE_TOO_WIDE',
    `the merge ${commit.slice(0, 12)} has more parents, or more files that differ between them, than are judged`,
    {
      advice: 'Push the branch without it, and merge fewer branches at a time, or in smaller steps.',
      data: { commit },
    },
  );
}

function isSame(one: Side | undefined, other: Side | undefined): boolean {
  return one?.oid === other?.oid && one?.mode === other?.mode;
}
