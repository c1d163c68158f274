import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { parseJson } from '../../core/json.ts';

/** What one proposal put on a branch: all that its commit was made of, so that it can be made again, byte for byte. */
export interface Step {
  /** Of the proposal. */
  id: string;
  /** All of the proposal. */
  text: string;
  message: string;
  /** In seconds since 1970, UTC. */
  time: number;
  /** What it was to change of the followed branch, as a digest. */
  wanted: string;
}

/** A branch of the operator's own: commits upon a commit of the followed branch. */
export interface BranchState {
  branch: string;
  tip: string;
  /** The commit of the followed branch. */
  base: string;
  steps: readonly Step[];
  /** Path → blob that the followed branch had there (`null`: nothing), of all that the steps change. */
  former: Readonly<Record<string, string | null>>;
}

const VERSION = 2;
/** What is there now, and what a push that nobody heard the end of may have made of it. */
const KEPT = 2;

/** What the operator put on its own branch: on disk before it is pushed, so that a killed run knows its own commits again. */
export class BranchMemory {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** The branch as it was left with this tip; undefined: that is not ours, as far as is remembered. */
  async find(branch: string, tip: string): Promise<BranchState | undefined> {
    return (await this.#read()).find((known) => known.branch === branch && known.tip === tip);
  }

  /** On disk when it resolves. `from`: what the branch is until it is pushed. */
  async note(next: BranchState, from: BranchState | undefined): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const known = [next, ...(from === undefined ? [] : [from])].slice(0, KEPT);
    await writeFileAtomically(this.#file, `${JSON.stringify({ version: VERSION, known })}\n`, { mode: 0o600 });
  }

  /** The file is our own: what does not look like it was damaged, and says nothing. */
  async #read(): Promise<readonly BranchState[]> {
    const { version, known }: { version?: unknown; known: BranchState[] } = Object(
      parseJson(await readIfThere(this.#file)),
    );
    return version === VERSION ? known : [];
  }
}
