import { join } from 'node:path';
import { Bug, CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import type { Signer } from '../../core/signatures/signers.ts';
import type { Outstanding, Return } from '../../core/trust/verdict.ts';
import type { Acceptance } from './acceptances.ts';
import type { HeldPath } from './held-path.ts';

/**
 * Why a commit was taken. `signed`: by the policy; `endorsed`: a signer stands for it who may; `person`: by
 * `coffer-operator accept`; `configured`: it is `firstCommit`; `unsigned`: nobody need sign.
 */
export type Basis = 'signed' | 'endorsed' | 'person' | 'configured' | 'unsigned';

/** What is remembered of an accepted commit, beside the ref that names it. */
export interface Remembered {
  commit: string;
  /** What of the commit counts: its own tree, or one of ours where paths are held back. */
  tree: string;
  /** RFC 3339 in UTC. */
  acceptedAt: string;
  /** Counts the states that were accepted of a source, wherever: each is one more than the highest that was known. */
  generation: number;
  basis: Basis;
  /** Of basis `person`: what that person accepted, this commit or one before it. */
  acceptance?: Acceptance;
  signer?: Signer;
  endorsedBy?: { commit: string; signer: Signer };
  /** The last accepted commit in which nothing was held back; absent: there was none. */
  since?: string;
  /** What the next verdict has to know of this one. */
  outstanding: readonly Outstanding[];
  held: readonly HeldPath[];
  /** As in `Accepted`; for as long as nobody was told. */
  returns: readonly Return[];
}

type Row = Omit<Remembered, 'held'> & {
  held: (Omit<HeldPath, 'error'> & { code: string; message: string; advice: string })[];
};

const FILE = 'trust.json';
const TOLD = 'told';
const VERSION = 1;

/**
 * `trust.json` beside a clone: the verdict on the commit that is accepted, and, while the ref moves, also on the next. The ref
 * alone says which of them counts, so that a kill between the two writes leaves the former state or the new one.
 */
export class Memory {
  readonly #folder: string;
  #states: readonly Remembered[];
  #told: string;

  private constructor(folder: string, states: readonly Remembered[], told: string) {
    this.#folder = folder;
    this.#states = states;
    this.#told = told;
  }

  /** Throws `TRUST_MEMORY_DAMAGED`: what was held back must not be let in because nobody remembers. */
  static async open(folder: string): Promise<Memory> {
    const file = join(folder, FILE);
    const text = await readIfThere(file);
    const told = (await readIfThere(join(folder, TOLD))).trim();
    return new Memory(folder, text === '' ? [] : parse(text, file), told);
  }

  of(commit: string): Remembered | undefined {
    return this.#states.find((state) => state.commit === commit);
  }

  /** Whether nothing was ever noted. */
  get isEmpty(): boolean {
    return this.#states.length === 0;
  }

  /** Whether the audit log has this state. */
  isTold(state: Pick<Remembered, 'commit' | 'tree'>): boolean {
    return this.#told === nameOf(state);
  }

  /** The audit log has it; on disk when it resolves. */
  async tell(state: Pick<Remembered, 'commit' | 'tree'>): Promise<void> {
    if (this.isTold(state)) return;
    await writeFileAtomically(join(this.#folder, TOLD), `${nameOf(state)}\n`, { mode: 0o600 });
    this.#told = nameOf(state);
  }

  /** On disk when it resolves; `accepted`: what the ref names until it moves. */
  async note(next: Remembered, accepted: string | undefined): Promise<void> {
    const former = accepted === undefined || accepted === next.commit ? undefined : this.of(accepted);
    const states = former === undefined ? [next] : [former, next];
    await writeFileAtomically(
      join(this.#folder, FILE),
      `${JSON.stringify({ version: VERSION, states: states.map(rowOf) })}\n`,
      {
        mode: 0o600,
      },
    );
    this.#states = states;
  }
}

/** Tells states of a source apart. */
export function nameOf({ commit, tree }: Pick<Remembered, 'commit' | 'tree'>): string {
  return `${commit} ${tree}`;
}

function rowOf({ held, ...rest }: Remembered): Row {
  return {
    ...rest,
    held: held.map(({ error: { code, message, advice }, ...path }) => ({ ...path, code, message, advice })),
  };
}

function stateOf({ held, ...rest }: Row): Remembered {
  return {
    ...rest,
    held: held.map(({ code, message, advice, ...path }) => ({
      ...path,
      error: heldError(path, code, message, advice),
    })),
  };
}

function heldError(
  { path, commit }: Pick<HeldPath, 'path' | 'commit'>,
  code: string,
  message: string,
  advice: string,
): CofferError {
  return new CofferError(code, message, { advice, data: { file: path, commit } });
}

/** The file is our own, written atomically: what does not look like it was damaged, or is of a later version. */
function parse(text: string, file: string): Remembered[] {
  try {
    const { version, states } = JSON.parse(text) as { version: unknown; states: Row[] };
    if (version !== VERSION || !states.every(isRow)) throw new Bug('another form');
    return states.map(stateOf);
  } catch (cause) {
    throw new CofferError('TRUST_MEMORY_DAMAGED', 'What was remembered of the accepted commit cannot be read.', {
      advice:
        'Restore the state directory; or remove the file, and accept a commit with `coffer-operator accept COMMIT`.',
      data: { file },
      loop: 'stop',
      cause,
    });
  }
}

function isRow({ commit, tree, since, generation, outstanding, held, returns }: Row): boolean {
  const isText = (value: unknown) => typeof value === 'string';
  return (
    [commit, tree, since ?? ''].every(isText) &&
    Number.isInteger(generation) &&
    [outstanding, returns].every(Array.isArray) &&
    Array.isArray(held)
  );
}
