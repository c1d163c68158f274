import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Bug } from '../../core/errors.ts';
import { ObjectStore } from '../../core/git/object-store.ts';
import { writePack } from '../../core/git/pack-writer.ts';
import { Repository } from '../../core/git/repository.ts';
import type { Accepted } from '../source/source.ts';
import { BranchMemory, type BranchState } from './branch-memory.ts';
import { type Changes, formerOf, isAsBefore } from './changes.ts';
import type { NewObjects } from './new-objects.ts';

/** What is to be on a branch of the operator's own. */
export interface Wanted {
  /** Of the proposal. */
  id: string;
  state: Accepted;
  /** What the proposal changes of the accepted commit. */
  changes: Changes;
  /** What it changes of another tree. */
  changesOf(repository: Repository, tree: string): Promise<Changes | undefined>;
  /** The bytes of a commit. */
  commit(tree: string, parent: string): Promise<Buffer>;
  /** Throws where a commit must not be pushed. */
  approve(repository: Repository, objects: NewObjects, commit: string): Promise<void>;
  /** Whether a tip that nobody here remembers is this operator's all the same. */
  isOwn(tip: string): Promise<boolean>;
}

/** What is there already, or what is to be sent. */
export type Next =
  | { result: { commit: string; isNew: false } }
  | { to: string; pack: Buffer; result: { commit: string; isNew: true } };

/**
 * A branch that people merge, where the followed one is protected: the proposals' commits, one upon the other, upon a commit of the
 * followed branch. It stays while it still fits there; else it is made anew from the newest accepted commit. A proposal that is not
 * on it then is put on it by its next push.
 */
export class OwnBranch {
  readonly #branch: string;
  readonly #folder: string;
  readonly #memory: BranchMemory;
  readonly #base: Repository;

  /** `folder`: of the state directory, for this alone. */
  constructor(branch: string, folder: string, base: Repository) {
    this.#branch = branch;
    this.#folder = folder;
    this.#memory = new BranchMemory(join(folder, 'branch.json'));
    this.#base = base;
  }

  /** `tip`: what the branch is; undefined: there is none. What is to come is in the memory before it is given back. */
  async next(wanted: Wanted, tip: string | undefined): Promise<Next | 'foreign'> {
    if (tip === undefined) return this.#anew(wanted, undefined);
    const from = await this.#memory.find(this.#branch, tip);
    if (from === undefined) return (await wanted.isOwn(tip)) ? this.#anew(wanted, undefined) : 'foreign';
    if (!(await isAsBefore(this.#base, wanted.state.tree, from.former))) return this.#anew(wanted, from);
    const step = from.steps.findLast(({ id }) => id === wanted.id);
    if (step?.wanted === wanted.changes.digest) return thereAlready(step.commit);
    // What the same proposal put there before is not what it says now.
    return step === undefined ? this.#upon(wanted, from) : this.#anew(wanted, from);
  }

  async #anew(wanted: Wanted, from: BranchState | undefined): Promise<Next> {
    await rm(this.#objects, { recursive: true, force: true });
    const begun = { branch: this.#branch, tip: wanted.state.commit, steps: [], former: {} };
    return this.#step(wanted, wanted.changes, begun, from);
  }

  async #upon(wanted: Wanted, from: BranchState): Promise<Next> {
    const repository = this.#repository();
    // Another run's objects went with its state directory.
    if (!repository.objects.has(from.tip)) return this.#anew(wanted, from);
    const { tree } = await repository.readCommit(from.tip);
    const changes = await wanted.changesOf(repository, tree);
    return changes === undefined ? thereAlready(from.tip) : this.#step(wanted, changes, from, from);
  }

  async #step(wanted: Wanted, changes: Changes, upon: BranchState, from: BranchState | undefined): Promise<Next> {
    const to = changes.objects.add('commit', await wanted.commit(changes.tree, upon.tip));
    // Made anew within the same second, of the same.
    if (to === from?.tip) return thereAlready(to);
    await wanted.approve(this.#repository(), changes.objects, to);
    await this.#keep(changes.objects);
    const step = { id: wanted.id, wanted: wanted.changes.digest, commit: to };
    const former = { ...formerOf(wanted.changes), ...upon.former };
    await this.#memory.note({ branch: this.#branch, tip: to, steps: [...upon.steps, step], former }, from);
    return { to, pack: changes.objects.pack(), result: { commit: to, isNew: true } };
  }

  async #keep(objects: NewObjects): Promise<void> {
    const folder = join(this.#objects, 'pack');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writePack(folder, objects.ids, (oid) => {
      const object = objects.get(oid);
      if (object === undefined) throw new Bug('an object that was there');
      return object;
    });
  }

  get #objects(): string {
    return join(this.#folder, 'objects');
  }

  /** Sees what was put on the branch, and what the source has. */
  #repository(): Repository {
    const objects = new ObjectStore([this.#objects], this.#base.objects);
    return new Repository({ own: this.#folder, common: this.#folder }, objects, this.#base.graph);
  }
}

const thereAlready = (commit: string): Next => ({ result: { commit, isNew: false } });
