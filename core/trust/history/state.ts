import type { Outstanding } from './violation.ts';

/**
 * How an aspect came to be what it is at a commit, since the accepted one. Without `bad` somebody set it who may; an aspect
 * without an entry was not changed.
 */
export interface AspectState {
  readonly bad?: Outstanding;
}

export const SET: AspectState = Object.freeze({});

type FileStates = ReadonlyMap<string, AspectState>;

const NONE: FileStates = new Map();

/** The states at a commit, by path and aspect. A copy shares those of a file until one of the two changes them. */
export class State {
  readonly #files: Map<string, Map<string, AspectState>>;
  /** Files whose states nobody else has. */
  readonly #own = new Set<string>();

  constructor(files: Iterable<readonly [string, Map<string, AspectState>]> = []) {
    this.#files = new Map(files);
  }

  static of(outstanding: readonly Outstanding[]): State {
    const state = new State();
    for (const bad of outstanding) state.set(bad.path, bad.aspect, { bad });
    return state;
  }

  copy(): State {
    this.#own.clear();
    return new State(this.#files);
  }

  get paths(): Iterable<string> {
    return this.#files.keys();
  }

  file(path: string): FileStates {
    return this.#files.get(path) ?? NONE;
  }

  get(path: string, aspect: string): AspectState | undefined {
    return this.#files.get(path)?.get(aspect);
  }

  /** `undefined`: as if it had not been changed. */
  set(path: string, aspect: string, state: AspectState | undefined): void {
    const former = this.#files.get(path);
    if (state === undefined && former?.has(aspect) !== true) return;
    const states = former !== undefined && this.#own.has(path) ? former : new Map(former);
    if (state === undefined) states.delete(aspect);
    else states.set(aspect, state);
    this.#own.add(path);
    if (states.size === 0) this.#files.delete(path);
    else this.#files.set(path, states);
  }

  *bad(): Generator<Outstanding> {
    for (const states of this.#files.values()) {
      for (const { bad } of states.values()) if (bad !== undefined) yield bad;
    }
  }
}
