import { sodiumReady } from '../../core/crypto/sodium.ts';
import { CofferError } from '../../core/errors.ts';
import type { Accepted } from '../source/source.ts';
import { adopt } from './adopting.ts';
import { NamespaceChanges } from './namespace-changes.ts';
import { ObjectsWatched } from './objects/objects-watched.ts';
import { Vouching } from './objects/vouching.ts';
import type { ReconcilerOptions } from './options.ts';
import { type Reading, type ReadRequest, readSecret } from './reading.ts';
import { Settling } from './settling.ts';
import { type Key, keyOf, namesOf, type Place } from './state/claim.ts';
import { Claims } from './state/claims.ts';
import { GitWatched } from './state/git-watched.ts';
import { State } from './state/state.ts';
import type { Watched } from './state/watched.ts';
import { Announcements } from './status/announcements.ts';
import { Overview } from './status/overview.ts';
import { Board } from './status/secret-statuses.ts';
import type { Status } from './status/status.ts';
import { Wakes } from './wakes.ts';
import { Notices } from './work/notices.ts';
import type { Reason } from './work/queue.ts';
import { Selection } from './work/selection.ts';
import { Settlement } from './work/settle.ts';
import { Turns } from './work/turns.ts';
import { Worker } from './work/worker.ts';

/** Resolves when the promise does, or at the signal. */
async function settled(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  signal?.addEventListener('abort', () => resolve(), { once: true });
  await Promise.race([promise, ended]);
}

export type { ReconcilerOptions } from './options.ts';

/** Milliseconds after which a look that failed as a whole is tried again. */
const AGAIN = 5000;

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
  readonly #git: readonly GitWatched[];
  readonly #objects: ObjectsWatched | undefined;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #selection: Selection;
  readonly #settling: Settling;
  readonly #board = new Board();
  readonly #overview: Overview;
  readonly #announcements: Announcements;
  readonly #worker: Worker;
  readonly #turns = new Turns();
  readonly #wakes = new Wakes();
  readonly #namespaceChanges: NamespaceChanges;
  readonly #listeners: ((namespace: string, name: string) => void)[] = [];
  /** Key ids that were there when it was looked last. */
  #keyIds = '';

  constructor(options: ReconcilerOptions, state: State) {
    this.#options = options;
    this.#state = state;
    const { sources, cluster, stateDirectory, maxShare, projectors, signal, now = () => new Date() } = options;
    const namespaces = () => options.namespaces.names();
    const board = this.#board;
    const claims = new Claims();
    const git = sources.map((source) => new GitWatched(source, cluster, namespaces));
    const vouching = new Vouching(git, claims);
    const objects = options.objects && new ObjectsWatched({ ...options.objects, cluster, git, vouching, namespaces });
    this.#git = git;
    this.#objects = objects;
    this.#watched = new Map([...git, ...(objects === undefined ? [] : [objects])].map((one) => [one.id, one]));
    const settlement = new Settlement({
      claims,
      state,
      maxShare,
      isUnreadable: (place) => this.#watched.get(place.source)?.isUnreadable(place) === true,
      isKnown: (place) => this.#isKnown(place),
      isProjected: (home) => this.#isProjected(home),
      commitOf: (source) => this.#commitOf(source),
    });
    const watched = this.#watched;
    this.#selection = new Selection({ state, settlement, watched });
    this.#announcements = new Announcements(options.audit);
    const notices = new Notices(projectors, signal);
    this.#worker = new Worker({
      ...{ ...options, now, state, board, settlement, watched, notices },
      announcements: this.#announcements,
      turns: this.#turns,
      tell: () => this.#tell(),
      changed: (home) => this.#changed(home),
    });
    const worker = this.#worker;
    this.#settling = new Settling({
      ...{ stateDirectory, git, vouching, claims, state, board, settlement, worker },
      ...(objects === undefined ? {} : { objects }),
    });
    const errors = () => [...this.#announcements.errors, ...notices.errors];
    this.#overview = new Overview({ watched, state, board, settlement, errors });
    this.#namespaceChanges = new NamespaceChanges(options.namespaces);
    this.#listen();
  }

  /**
   * Brings back what the accepted states of the last run say, without asking any source: where the newest manifest is bad, the
   * last good one. Resolves when it is projected.
   */
  async start(): Promise<void> {
    const { objects, projectors, signal } = this.#options;
    for (const one of this.#git) await one.takeAccepted();
    const isDoubted = (await adopt(projectors, this.#state, this.#git)) === 'older';
    for (const one of this.#git) one.isDoubted = isDoubted;
    if (objects !== undefined) await settled(objects.store.synced, signal);
    this.#objects?.sync();
    const known = Array.from(this.#state.secrets(), ([key]) => key);
    if (isDoubted) this.#settling.postpone(known);
    else this.#settling.touch(known);
    await this.#worker.work(await this.#catchUp('restore'));
  }

  /** Takes up a new state; it goes ahead of what is only put back. Resolves when its work is done or has failed. */
  async accept(state: Accepted): Promise<void> {
    const { source, commit, author, time } = state;
    this.#looked(source)?.take(state);
    const committed = new Date(time * 1000).toISOString();
    this.#announcements.add({ event: 'commit.accepted', source, commit, author, committed });
    await this.#worker.work(await this.#catchUp('commit'));
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

  /**
   * Tries again what the machine made fail and whose back-off is over, and carries out what was confirmed. Cheap when there is
   * nothing. `source`: its poll found nothing new, so that what is known of it is true now.
   */
  async retry(source?: string): Promise<void> {
    if (source !== undefined) this.#looked(source);
    const homes = await this.#catchUp('commit');
    await this.#turns.take(() => this.#settling.takeConfirmed());
    if (await this.#hasNewKeys()) for (const home of this.#board.failures().keys()) homes.add(home);
    for (const home of homes) this.#worker.add(home, 'restore');
    this.#worker.takeDue();
    // What waited when the log could not be written is in the queue still.
    await this.#worker.work(this.#worker.waiting());
  }

  /** Lets every projector look at what others changed, and opens and projects that again. */
  async heal(where: 'disturbed' | 'all'): Promise<void> {
    const homes = new Set<Key>();
    for (const projector of this.#options.projectors) {
      // A projector names each once: all are in the queue before any is worked on, whatever becomes of that.
      await projector.heal(async (namespace, name) => {
        homes.add(keyOf(namespace, name));
        this.#worker.add(keyOf(namespace, name), 'restore');
      }, where);
    }
    if (homes.size > 0) await this.#worker.work(homes);
  }

  /**
   * Does what nobody else asks for, until the signal: takes up namespaces and objects that come and go, puts mirrors right, tries
   * again when a back-off is over. `looked` is told of each look, and of what was thrown.
   */
  async run(signal: AbortSignal, looked: (error: unknown | undefined) => void): Promise<void> {
    while (!signal.aborted) {
      await this.#wakes.wait(this.#worker.nextDue, signal);
      if (signal.aborted) return;
      try {
        await this.#look();
        looked(undefined);
      } catch (error) {
        this.#wakes.within(AGAIN);
        looked(error);
      }
    }
  }

  /** Opens what a secret's readers ask for. Throws `SECRET_UNKNOWN`, `AUDIT_UNWRITABLE` and what opening throws. */
  read(request: ReadRequest): Promise<Reading> {
    return readSecret(request, {
      ...this.#options,
      state: this.#state,
      board: this.#board,
      selection: this.#selection,
    });
  }

  /** Called with each (namespace, name) whose manifest that counts became another, or went. */
  onChanged(listener: (namespace: string, name: string) => void): void {
    this.#listeners.push(listener);
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

  async close(): Promise<void> {
    await this.#turns.ended();
    await this.#state.close();
  }

  #listen(): void {
    const { namespaces, publisher, objects } = this.#options;
    namespaces.onChange?.(() => this.#wakes.namespaces());
    publisher?.onDisturbed((home) => this.#wakes.mirror(home));
    objects?.store.onChange((key) => this.#wakes.object(key, objects.store.get(key) === undefined));
  }

  /** Takes up what the cluster reported, and what is to be tried again. */
  async #look(): Promise<void> {
    const { objects, mirrors, areNamespacesOthers } = this.#wakes.take();
    this.#objects?.recheck(objects);
    if (areNamespacesOthers) await this.#turns.take(async () => this.#settling.reach(this.#namespaceChanges.take()));
    await this.#catchUp(areNamespacesOthers ? 'restore' : 'commit');
    for (const home of mirrors) {
      if (this.#state.get(home) === undefined && this.#isKnown(undefined)) this.#worker.remove(home);
      this.#worker.add(home, 'restore');
    }
    this.#worker.takeDue();
    await this.#worker.work(this.#worker.waiting());
  }

  #catchUp(reason: Reason): Promise<Set<Key>> {
    return this.#turns.take(() => this.#settling.catchUp(reason));
  }

  #looked(source: string): GitWatched | undefined {
    const one = this.#git.find(({ id }) => id === source);
    if (one !== undefined) one.isLooked = true;
    return one;
  }

  /** What no source of the configuration holds is gone only when all that could hold it are known. */
  #isKnown(place: Place | undefined): boolean {
    const one = place && this.#watched.get(place.source);
    if (one !== undefined) return one.isKnown && one.isSeen(place?.path);
    return [...this.#watched.values()].every((any) => any.isKnown && any.isSeen());
  }

  #isProjected(home: Key): boolean {
    const { namespace, name } = namesOf(home);
    return this.#options.projectors.some((projector) => {
      for (const owned of projector.owned()) if (owned.namespace === namespace && owned.name === name) return true;
      return false;
    });
  }

  #commitOf(source: string | undefined): string {
    const [any] = this.#watched.values();
    return ((source === undefined ? undefined : this.#watched.get(source)) ?? any)?.commit ?? '';
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

  #changed(home: Key): void {
    for (const key of new Set([home, ...this.#state.reached(home)])) {
      const { namespace, name } = namesOf(key);
      for (const listener of this.#listeners) listener(namespace, name);
    }
  }

  #tell(): void {
    const { publisher } = this.#options;
    publisher?.tell(this.#board.takeChanged().map((home) => this.#board.status(home, this.#state.get(home))));
  }
}
