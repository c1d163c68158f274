import { join } from 'node:path';
import type { Repository } from '../../core/git/repository.ts';
import { type Proposal, proposalText, readProposalText } from '../../core/rotation/proposal.ts';
import { BranchMemory, type BranchState, type Step } from './branch-memory.ts';
import { type Changes, formerOf, isAsBefore } from './changes.ts';
import { NewObjects } from './new-objects.ts';
import { withNewObjects } from './with-new-objects.ts';

/** What is to be on a branch of the operator's own. */
export interface Wanted {
  proposal: Proposal;
  /** Of the accepted state: its commit, and the tree that the server has of it. */
  commit: string;
  tree: string;
  /** What the proposal changes of that. */
  changes: Changes;
  message: string;
  /** Of the commit, in seconds since 1970. */
  time: number;
}

export interface OwnBranchOptions {
  branch: string;
  /** Of the state directory, for this alone. */
  folder: string;
  repository: Repository;
  /** What a proposal changes of a tree. */
  changesOf(proposal: Proposal, repository: Repository, tree: string): Promise<Changes | undefined>;
  /** The bytes of a commit: the same for the same. */
  commitOf(commit: { tree: string; parent: string; message: string; time: number }): Promise<Buffer>;
  /** Whether a tip that nobody here remembers is this operator's all the same. */
  isOwn(tip: string): Promise<boolean>;
}

/** What the branch is already, or what is to be sent; `commit`: the one that has what is wanted. */
export type Next =
  | { kind: 'there'; commit: string }
  | { kind: 'foreign' }
  | { kind: 'new'; commit: string; objects: NewObjects };

/**
 * A branch that people merge, where the followed one is protected: the proposals' commits, one upon the other, upon a commit of the
 * followed branch. It stays while it still fits there, and grows by what is proposed beside; else it is made anew from the newest
 * accepted commit. Its commits are made again rather than kept: of the same they are the same.
 */
export class OwnBranch {
  readonly #options: OwnBranchOptions;
  readonly #memory: BranchMemory;

  constructor(options: OwnBranchOptions) {
    this.#options = options;
    this.#memory = new BranchMemory(join(options.folder, 'branch.json'));
  }

  /** `tip`: what the branch is; undefined: there is none. What is to come is in the memory before it is given back. */
  async next(wanted: Wanted, tip: string | undefined): Promise<Next> {
    const { branch, repository, isOwn } = this.#options;
    const from = tip === undefined ? undefined : await this.#memory.find(branch, tip);
    if (tip !== undefined && from === undefined && !(await isOwn(tip))) return { kind: 'foreign' };
    const isFitting = from !== undefined && (await isAsBefore(repository, wanted.tree, from.former));
    const before = from?.steps ?? [];
    const known = before.find(({ id }) => id === wanted.proposal.id);
    if (isFitting && known?.wanted === wanted.changes.digest) return { kind: 'there', commit: from.tip };
    const step = stepOf(wanted);
    // What the same proposal put there before is not what it says now; what stands upon it may need it.
    const steps = known === undefined ? [...before, step] : before.map((one) => (one === known ? step : one));
    return this.#made(steps, isFitting ? from.base : wanted.commit, from);
  }

  async #made(steps: readonly Step[], base: string, from: BranchState | undefined): Promise<Next> {
    const { branch, repository, changesOf, commitOf } = this.#options;
    const objects = new NewObjects();
    const seen = withNewObjects(repository, objects);
    const former: Record<string, string | null> = Object.create(null);
    const left: Step[] = [];
    let tip = base;
    let { tree } = await repository.readCommit(base);
    for (const step of steps) {
      const changes = await changesOf(readProposalText(step.text), seen, tree);
      if (changes === undefined) continue;
      objects.take(changes.objects);
      tree = changes.tree;
      const { message, time } = step;
      tip = objects.add('commit', await commitOf({ tree, parent: tip, message, time }));
      // Of a file that several change, what stood there before the first.
      for (const [path, oid] of Object.entries(formerOf(changes))) if (!(path in former)) former[path] = oid;
      left.push(step);
    }
    if (tip === from?.tip) return { kind: 'there', commit: tip };
    await this.#memory.note({ branch, tip, base, steps: left, former }, from);
    return { kind: 'new', commit: tip, objects };
  }
}

function stepOf({ proposal, message, time, changes }: Wanted): Step {
  return { id: proposal.id, text: proposalText(proposal), message, time, wanted: changes.digest };
}
