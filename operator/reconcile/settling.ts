import { type Key, namesOf } from '../project/namespaced-name.ts';
import { confirmedCommits, consumeConfirmation, isConfirmed, whoConfirmed } from '../source/admission/confirmations.ts';
import type { Sources } from './sources.ts';
import type { State } from './state/state.ts';
import type { Update, Watched } from './state/watched.ts';
import type { Announcements } from './status/announcements.ts';
import type { Board } from './status/board.ts';
import type { Reason } from './work/queue.ts';
import { refusal, type Settled, type Settlement } from './work/settlement.ts';
import type { Worker } from './work/worker.ts';

export interface SettlingParts {
  stateDirectory: string;
  sources: Sources;
  state: State;
  board: Board;
  settlement: Settlement;
  worker: Worker;
  announcements: Announcements;
}

/** Takes the sources to their newest states, and settles whose each name is that this touches. Only within a turn. */
export class Settling {
  readonly #parts: SettlingParts;
  /** Keys whose settlement is not on disk. */
  readonly #touched = new Set<Key>();
  /** Keys of which nothing can be said before their source was looked at. */
  readonly #postponed = new Set<Key>();

  constructor(parts: SettlingParts) {
    this.#parts = parts;
  }

  touch(keys: Iterable<Key>): void {
    for (const key of keys) this.#touched.add(key);
  }

  /** These are left as they are until a source was looked at. */
  postpone(keys: Iterable<Key>): void {
    for (const key of keys) this.#postponed.add(key);
  }

  /** Whether something waits for a source to be looked at or to be seen again, or for a person. */
  get isWaiting(): boolean {
    return this.#postponed.size > 0 || this.#parts.state.held().size > 0;
  }

  #resume(): void {
    const { state, settlement } = this.#parts;
    for (const key of this.#postponed) {
      this.#touched.add(key);
      if (settlement.isKnown(state.get(key)?.owner)) this.#postponed.delete(key);
      else this.#touched.delete(key);
    }
  }

  /** Returns the secrets that were put into the queue. Throws `STATE_UNWRITABLE`. */
  async catchUp(reason: Reason): Promise<Set<Key>> {
    const { sources, worker, board } = this.#parts;
    const { git, objects } = sources;
    const homes = new Set<Key>();
    for (const one of git) for (const home of await this.#advance(one)) homes.add(home);
    // Last, for the others say what they vouch for.
    if (objects !== undefined) for (const home of await this.#advance(objects)) homes.add(home);
    for (const [home, verified] of objects?.takeVerified() ?? []) {
      board.verified(home, verified);
      this.#touched.add(home);
    }
    this.#resume();
    const confirmed = await this.#confirmed();
    if (this.#touched.size > 0) for (const home of await this.#settle(confirmed)) homes.add(home);
    for (const commit of confirmed) await this.#consume(commit);
    for (const home of homes) worker.add(home, reason);
    return homes;
  }

  /** Namespaces came or went: claims of scope cluster reach others, and what is in those is looked at. */
  reach(changed: ReadonlySet<string>): void {
    const { sources, state } = this.#parts;
    for (const one of sources.byId.values()) this.#take(one, one.reach());
    for (const [key] of state.secrets()) if (changed.has(namesOf(key).namespace)) this.#touched.add(key);
  }

  /** Lets go what a person confirmed. Returns the secrets that were put into the queue. Throws `STATE_UNWRITABLE`. */
  async takeConfirmed(): Promise<Set<Key>> {
    const { state, settlement, stateDirectory, worker } = this.#parts;
    const homes = new Set<Key>();
    for (const commit of [...state.held().keys()]) {
      if (!(await isConfirmed(stateDirectory, commit))) continue;
      for (const home of settlement.release(commit)) {
        homes.add(home);
        worker.remove(home);
        worker.add(home, 'restore');
      }
      await state.flush();
      await this.#consume(commit);
    }
    return homes;
  }

  /** What was said is written before what comes of it. */
  async #consume(commit: string): Promise<void> {
    const { stateDirectory, announcements } = this.#parts;
    const actor = await whoConfirmed(stateDirectory, commit);
    announcements.add({ event: 'word.given', aspect: 'confirm', commit, ...(actor === undefined ? {} : { actor }) });
    await consumeConfirmation(stateDirectory, commit);
  }

  /** Of the accepted commits, those that a person confirmed. */
  async #confirmed(): Promise<Set<string>> {
    const { sources, state, stateDirectory } = this.#parts;
    const accepted = new Set(
      sources.git.flatMap(({ isLooked, commit }) => (isLooked && commit !== undefined ? [commit] : [])),
    );
    const said = await confirmedCommits(stateDirectory);
    return new Set(said.filter((commit) => accepted.has(commit) && !state.held().has(commit)));
  }

  /** Returns the secrets that failed and may succeed with the new keyring. */
  async #advance(one: Watched): Promise<Key[]> {
    const { state, board } = this.#parts;
    const wasKnown = one.isKnown;
    const update = await one.advance(state);
    if (update === undefined) return [];
    this.#take(one, update);
    // What a file owned is looked at when the file becomes unreadable, or when its source has been seen for the first time.
    for (const path of update.paths) this.touch(state.ownedBy(one.id, path));
    if (!wasKnown) for (const [key] of state.secrets()) this.#touched.add(key);
    if (!update.hasNewKeyring) return [];
    const { objects } = this.#parts.sources;
    this.#takeOurs(one);
    objects?.recheck('all');
    const may = new Set([one.id, objects?.id]);
    return [...board.failures().keys()].filter((home) => may.has(state.get(home)?.owner?.source));
  }

  #take(one: Watched, { removed, added }: Update): void {
    const { claims, vouching, objects, git } = this.#parts.sources;
    const vouches = git.find((candidate) => candidate === one);
    const into = vouches === undefined || vouches.isCarrier ? claims : vouching.claims;
    for (const claim of removed) if (into.remove(claim) && into === claims) this.touch(claim.keys);
    for (const claim of added) if (one.isOurs(claim) && into.add(claim) && into === claims) this.touch(claim.keys);
    if (vouches !== undefined) objects?.recheck([...removed, ...added].map(({ home }) => home));
  }

  /** What is sealed to this cluster may be something else with another keyring. */
  #takeOurs(one: Watched): void {
    const all = [...one.claims()];
    const others = all.filter((claim) => !one.isOurs(claim));
    this.#take(one, { removed: others, added: all, paths: new Set() });
  }

  /** Returns the secrets that have to be worked on. */
  async #settle(confirmed: ReadonlySet<string>): Promise<Set<Key>> {
    const { settlement, worker, state } = this.#parts;
    const settled = settlement.settle(this.#touched, confirmed);
    for (const home of settled.homes) if (settlement.claimOf(home) !== undefined) worker.keep(home);
    for (const home of settled.prune) worker.remove(home);
    this.postpone(settled.unknown);
    this.#tell(settled);
    // Owners are on disk before anything is opened for them: after a kill they are the same.
    await state.flush();
    this.#touched.clear();
    return settled.homes;
  }

  /** How those are doing of whom nobody can be the owner. */
  #tell({ contested }: Settled): void {
    const { board, settlement, state, sources } = this.#parts;
    const { claims, objects } = sources;
    for (const key of contested) {
      const [claim] = claims.to(key);
      if (claim !== undefined) board.failed(key, refusal(key, claim, undefined), claim.origin.commit);
    }
    for (const key of this.#touched) {
      if (contested.has(key)) continue;
      const error = settlement.conflict(key) ?? (state.get(key) ? undefined : objects?.problemsOf(key)[0]);
      if (error !== undefined) board.failed(key, error, undefined);
      else if (state.get(key) === undefined) board.forget(key);
    }
  }
}
