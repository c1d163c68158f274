import { sodiumReady } from '../../core/crypto/sodium.ts';
import { Bug, CofferError } from '../../core/errors.ts';
import { isConfirmed } from '../source/confirmations.ts';
import type { Accepted } from '../source/source.ts';
import type { ReconcilerOptions } from './options.ts';
import type { Reading, ReadRequest } from './reading.ts';
import { type Key, keyOf, type Place } from './state/claim.ts';
import { Claims } from './state/claims.ts';
import { State } from './state/state.ts';
import { Watched } from './state/watched.ts';
import { Announcements } from './status/announcements.ts';
import { Overview } from './status/overview.ts';
import { Board } from './status/secret-statuses.ts';
import type { Status } from './status/status.ts';
import { Batch } from './work/batch.ts';
import { Notices } from './work/notices.ts';
import { Queue, type Reason } from './work/queue.ts';
import { refusal, Settlement } from './work/settle.ts';
import { Turns } from './work/turns.ts';
import { unexpected } from './work/unexpected.ts';

export type { ReconcilerOptions } from './options.ts';

/** Secrets that one batch works on: between batches, newer commits go ahead. */
const BATCH = 128;

/** Opens the state; projects nothing yet. Throws `STATE_DAMAGED`, `STATE_UNWRITABLE`. */
export async function openReconciler(options: ReconcilerOptions): Promise<Reconciler> {
  await sodiumReady();
  return new Reconciler(options, await State.open(options.stateDirectory));
}

/**
 * Makes what is projected equal to what the accepted states say: level-based, by (namespace, name). A change is first settled
 * (whose is which name), then worked on in batches. Calls may overlap; one batch runs at a time.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #state: State;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #claims = new Claims();
  readonly #settlement: Settlement;
  readonly #board = new Board();
  readonly #overview: Overview;
  readonly #queue = new Queue();
  /** Secrets in the queue that are to be taken away. */
  readonly #removals = new Set<Key>();
  /** The newest state of each source, which its index may not have reached. */
  readonly #newest = new Map<string, Accepted>();
  /** Keys whose settlement is not on disk. */
  readonly #touched = new Set<Key>();
  readonly #announcements: Announcements;
  readonly #notices: Notices;
  readonly #turns = new Turns();
  /** Key ids that were there when it was looked last. */
  #keyIds = '';

  constructor(options: ReconcilerOptions, state: State) {
    this.#options = options;
    this.#state = state;
    this.#announcements = new Announcements(options.audit);
    this.#notices = new Notices(options.projectors, options.signal);
    const { sources, cluster, namespaces } = options;
    this.#watched = new Map(
      sources.map((source) => [source.id, new Watched(source, cluster, [...namespaces.names()])]),
    );
    this.#settlement = new Settlement({
      claims: this.#claims,
      state,
      maxShare: options.maxShare,
      isUnreadable: (place) => this.#watched.get(place.source)?.isUnreadable(place) === true,
      isKnown: (place) => this.#isKnown(place),
      commitOf: (source) => this.#commitOf(source),
    });
    this.#overview = new Overview({
      watched: this.#watched,
      state,
      board: this.#board,
      settlement: this.#settlement,
      errors: () => [...this.#announcements.errors, ...this.#notices.errors],
    });
  }

  /**
   * Brings back what the accepted states of the last run say, without asking any source: where the newest manifest is bad, the
   * last good one. Resolves when it is projected.
   */
  async start(): Promise<void> {
    for (const projector of this.#options.projectors) {
      for (const { namespace, name } of projector.owned()) this.#adopt(keyOf(namespace, name));
    }
    for (const { source } of this.#watched.values()) {
      const state = await source.accepted();
      if (state !== undefined) this.#newest.set(source.id, state);
    }
    for (const [key] of this.#state.secrets()) this.#touched.add(key);
    await this.#work(await this.#catchUp('restore'));
  }

  /** Takes up a new state; it goes ahead of what is only put back. Resolves when its work is done or has failed. */
  async accept(state: Accepted): Promise<void> {
    const { source, commit, author, time } = state;
    this.#newest.set(source, state);
    const committed = new Date(time * 1000).toISOString();
    this.#announcements.add({ event: 'commit.accepted', source, commit, author, committed });
    await this.#work(await this.#catchUp('commit'));
  }

  /** Notes how a source's poll went; `undefined`: well. */
  polled(source: string, error: unknown): void {
    const watched = this.#watched.get(source);
    if (watched === undefined) return;
    const before = watched.trouble;
    watched.trouble = error instanceof CofferError ? error : undefined;
    const { code, message, data } = watched.trouble ?? { data: {} };
    if (code === undefined || data.commit === undefined || before?.data.commit === data.commit) return;
    this.#announcements.add({ event: 'commit.refused', source, commit: data.commit, code, message });
    // Where it cannot be written it waits, and the status says so.
    this.#turns
      .take(() => this.#announcements.write())
      .catch((failure) => {
        if (!(failure instanceof CofferError)) throw failure;
      });
  }

  /** Tries again what the machine made fail, and carries out what was confirmed. Cheap when there is nothing. */
  async retry(): Promise<void> {
    const homes = await this.#catchUp('commit');
    const hasNewKeys = await this.#hasNewKeys();
    for (const [home, error] of this.#board.failures()) if (hasNewKeys || error.loop === 'retry') homes.add(home);
    for (const commit of [...this.#state.held().keys()]) {
      if (!(await isConfirmed(this.#options.stateDirectory, commit))) continue;
      for (const home of this.#settlement.release(commit)) {
        this.#removals.add(home);
        homes.add(home);
      }
    }
    for (const home of homes) this.#queue.add(home, 'restore');
    // What waited when the log could not be written is in the queue still.
    await this.#work(this.#queue.homes());
  }

  /** Lets every projector look at what others changed, and opens and projects that again. */
  async heal(where: 'disturbed' | 'all'): Promise<void> {
    const homes = new Set<Key>();
    for (const projector of this.#options.projectors) {
      // A projector names each once: all are in the queue before any is worked on, whatever becomes of that.
      await projector.heal(async (namespace, name) => {
        homes.add(keyOf(namespace, name));
        this.#queue.add(keyOf(namespace, name), 'restore');
      }, where);
    }
    if (homes.size > 0) await this.#work(homes);
  }

  /** Everything, for those who ask; its work is that of all secrets. */
  status(): Status {
    return this.#overview.status();
  }

  /** The same without the secrets that are well: its work is that of the trouble. */
  troubles(): Status {
    return this.#overview.troubles();
  }

  /** How many secrets there are. */
  get secrets(): number {
    return this.#state.homes;
  }

  /** Opens what a secret's readers ask for. Throws `SECRET_UNKNOWN`, `AUDIT_UNWRITABLE` and what opening throws. */
  async read(_request: ReadRequest): Promise<Reading> {
    throw new Bug('not written yet');
  }

  /** Called with each (namespace, name) whose manifest that counts became another, or went. */
  onChanged(_listener: (namespace: string, name: string) => void): void {}

  /**
   * Does what nobody else asks for, until the signal: takes up namespaces and objects that come and go, puts mirrors right, tries
   * again when a back-off is over. `looked` is told of each look, and of what was thrown.
   */
  async run(_signal: AbortSignal, _looked: (error: unknown | undefined) => void): Promise<void> {
    throw new Bug('not written yet');
  }

  async close(): Promise<void> {
    await this.#turns.ended();
    await this.#state.close();
  }

  /** A secret that only a projector knows of, for the state directory was lost. */
  #adopt(home: Key): void {
    if (this.#state.get(home) === undefined) this.#state.set(home, { home, retain: false });
  }

  /** What no source of the configuration holds is gone only when all that could hold it are known. */
  #isKnown(place: Place | undefined): boolean {
    const one = place && this.#watched.get(place.source);
    if (one !== undefined) return one.state !== undefined;
    return [...this.#watched.values()].every(({ state }) => state !== undefined);
  }

  /** Moves every index to the newest state and settles what that touches. Returns the secrets that were put into the queue. */
  async #catchUp(reason: Reason): Promise<Set<Key>> {
    return this.#turns.take(async () => {
      const homes = new Set<Key>();
      for (const watched of this.#watched.values()) {
        const newest = this.#newest.get(watched.source.id);
        if (newest === undefined || newest.commit === watched.state?.commit) continue;
        for (const home of await this.#advance(watched, newest)) homes.add(home);
      }
      if (this.#touched.size === 0) return homes;
      for (const home of await this.#settle()) homes.add(home);
      for (const home of homes) this.#queue.add(home, reason);
      return homes;
    });
  }

  /** Returns the secrets that failed and may succeed with the new keyring. */
  async #advance(watched: Watched, newest: Accepted): Promise<Key[]> {
    const wasKnown = watched.state !== undefined;
    const { update, hasNewKeyring } = await watched.advance(newest, this.#state);
    for (const claim of update.removed) if (this.#claims.remove(claim)) this.#touch(claim.keys);
    const candidates = hasNewKeyring ? watched.index.claims() : update.added;
    for (const claim of candidates) {
      const isNews = watched.isOurs(claim) ? this.#claims.add(claim) : this.#claims.remove(claim);
      if (isNews) this.#touch(claim.keys);
    }
    // What a file owned is looked at when the file becomes unreadable, or when its source has been seen for the first time.
    for (const path of update.paths) this.#touch(this.#state.ownedBy(watched.source.id, path));
    if (!wasKnown) for (const [key] of this.#state.secrets()) this.#touched.add(key);
    if (!hasNewKeyring) return [];
    const failures = [...this.#board.failures().keys()];
    return failures.filter((home) => this.#state.get(home)?.owner?.source === watched.source.id);
  }

  async #settle(): Promise<Set<Key>> {
    const settled = this.#settlement.settle(this.#touched, await this.#confirmed());
    for (const home of settled.homes) if (this.#settlement.claimOf(home) !== undefined) this.#removals.delete(home);
    for (const home of settled.prune) this.#removals.add(home);
    for (const key of settled.contested) {
      const [claim] = this.#claims.to(key);
      if (claim !== undefined) this.#board.failed(key, refusal(key, claim, undefined), claim.origin.commit);
    }
    for (const key of this.#touched) {
      if (this.#state.get(key) === undefined && !settled.contested.has(key)) this.#board.forget(key);
    }
    // Owners are on disk before anything is opened for them: after a kill they are the same.
    await this.#state.flush();
    this.#touched.clear();
    return settled.homes;
  }

  #commitOf(source: string | undefined): string {
    const [any] = this.#watched.values();
    return ((source === undefined ? undefined : this.#watched.get(source)) ?? any)?.state?.commit ?? '';
  }

  /** Of the accepted commits, those that a person confirmed. */
  async #confirmed(): Promise<Set<string>> {
    const confirmed = new Set<string>();
    for (const { state } of this.#watched.values()) {
      const isMeant = state !== undefined && (await isConfirmed(this.#options.stateDirectory, state.commit));
      if (isMeant) confirmed.add(state.commit);
    }
    return confirmed;
  }

  /** Whether somebody put a key into the directory since something could not be opened for want of one. */
  async #hasNewKeys(): Promise<boolean> {
    const isWanting = [...this.#board.failures().values()].some(({ code }) => code === 'STANZA_UNKNOWN_KEY');
    if (!isWanting) return false;
    const keys = await this.#options.secretKeys();
    const ids = [...keys.keys.keys()].sort().join(' ');
    keys.wipe();
    const isOther = ids !== this.#keyIds;
    this.#keyIds = ids;
    return isOther;
  }

  #touch(keys: Iterable<Key>): void {
    for (const key of keys) this.#touched.add(key);
  }

  /** Works until none of these waits any more, then has the workloads told. */
  async #work(homes: Iterable<Key>): Promise<void> {
    const waiting = [...homes];
    await this.#turns.take(() => this.#announcements.write());
    const { signal } = this.#options;
    while (!signal?.aborted && waiting.some((home) => this.#queue.has(home)))
      await this.#turns.take(() => this.#runBatch());
    // Another caller's batch may be at some of them.
    await this.#turns.ended();
    await this.#notices.tell();
  }

  async #runBatch(): Promise<void> {
    const items = this.#queue.take(BATCH);
    const batch = new Batch({
      ...this.#options,
      state: this.#state,
      board: this.#board,
      settlement: this.#settlement,
      watched: this.#watched,
    });
    try {
      await batch.run(items, this.#removals);
      for (const { home } of items) if (this.#state.get(home) === undefined) this.#removals.delete(home);
    } catch (error) {
      // The log or the state cannot be written, or the mistake is ours: none is done, and `retry` comes back to them.
      const known = error instanceof CofferError ? error : unexpected(error);
      for (const { home } of items) this.#board.failed(home, known, undefined);
      if (known !== error) throw error;
    } finally {
      for (const record of batch.untold) this.#announcements.add(record);
      this.#notices.owe();
    }
  }
}
