import type { Outstanding } from './violation.ts';

/**
 * How an aspect came to be what it is at a commit, since the accepted one. Without `bad` somebody set it who may; an aspect
 * without an entry was not changed.
 */
export interface AspectState {
  readonly bad?: Outstanding;
}

export const SET: AspectState = Object.freeze({});

type FileEntries = ReadonlyMap<string, AspectState>;

const NONE: FileEntries = new Map();

/** The entries of a commit, by path and aspect. Those of one file are replaced together, so that a copy shares them. */
export class State {
  readonly #files: Map<string, FileEntries>;

  constructor(files: Iterable<readonly [string, FileEntries]> = []) {
    this.#files = new Map(files);
  }

  static of(outstanding: readonly Outstanding[]): State {
    const state = new State();
    for (const bad of outstanding) state.set(bad.path, bad.aspect, { bad });
    return state;
  }

  copy(): State {
    return new State(this.#files);
  }

  get paths(): Iterable<string> {
    return this.#files.keys();
  }

  file(path: string): FileEntries {
    return this.#files.get(path) ?? NONE;
  }

  get(path: string, aspect: string): AspectState | undefined {
    return this.#files.get(path)?.get(aspect);
  }

  /** `undefined`: as if it had not been changed. */
  set(path: string, aspect: string, entry: AspectState | undefined): void {
    const entries = new Map(this.#files.get(path));
    if (entry === undefined) entries.delete(aspect);
    else entries.set(aspect, entry);
    this.setFile(path, entries);
  }

  setFile(path: string, entries: FileEntries): void {
    if (entries.size === 0) this.#files.delete(path);
    else this.#files.set(path, entries);
  }

  *bad(): Generator<Outstanding> {
    for (const entries of this.#files.values()) {
      for (const { bad } of entries.values()) if (bad !== undefined) yield bad;
    }
  }
}
