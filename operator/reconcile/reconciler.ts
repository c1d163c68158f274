import { sodiumReady } from '../../core/crypto/sodium.ts';
import type { Manifest } from '../../core/format/manifest/manifest.ts';
import { SerialQueue } from '../../core/serial-queue.ts';
import { type Key, keyOf, namesOf } from '../project/namespaced-name.ts';
import type { Accepted } from '../source/source.ts';
import type { Status } from '../status/status.ts';
import { NamespaceChanges } from './namespace-changes.ts';
import { namespaceProblem } from './namespaces.ts';
import type { ReconcilerOptions } from './options.ts';
import { Overview } from './overview.ts';
import { type Reading, type ReadRequest, readSecret } from './reading.ts';
import { Settling } from './settling.ts';
import { Sources } from './sources.ts';
import { recall } from './state/recall.ts';
import { State } from './state/state.ts';
import { Announcements } from './status/announcements.ts';
import { Board } from './status/board.ts';
import { Verdicts } from './verdicts.ts';
import { Wakes } from './wakes.ts';
import { NewKeys } from './work/new-keys.ts';
import { Notices } from './work/notices.ts';
import type { Reason } from './work/queue.ts';
import { Selection } from './work/selection.ts';
import { Settlement } from './work/settlement.ts';
import { Worker } from './work/worker.ts';

export type { ReconcilerOptions } from './options.ts';

/** Milliseconds after which a look that failed as a whole, or that could not see everything, is taken again. */
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
  readonly #sources: Sources;
  readonly #selection: Selection;
  readonly #settling: Settling;
  readonly #worker: Worker;
  readonly #board = new Board();
  readonly #overview: Overview;
  readonly #turns = new SerialQueue();
  readonly #wakes = new Wakes();
  readonly #verdicts: Verdicts;
  readonly #newKeys: NewKeys;
  readonly #namespaceChanges: NamespaceChanges;
  readonly #listeners: ((namespace: string, name: string) => void)[] = [];
  #hasOrphans = true;

  constructor(options: ReconcilerOptions, state: State) {
    const { projectors, signal, now = () => new Date() } = options;
    const board = this.#board;
    const sources = new Sources(options);
    const watched = sources.byId;
    const settlement = new Settlement({
      ...{ claims: sources.claims, state, maxShare: options.maxShare },
      isUnreadable: (place) => sources.isUnreadable(place),
      isKnown: (place) => sources.isKnown(place),
      present: () => this.#present(),
      holdId: (source, keys) => sources.holdId(source, keys),
    });
    const announcements = new Announcements(options.audit);
    const notices = new Notices(projectors, signal);
    const worker = new Worker({
      ...{ ...options, now, state, board, settlement, watched, announcements, notices, turns: this.#turns },
      tell: () => {
        this.#tell();
        this.#wakes.at(this.#worker.nextDue);
      },
      changed: (home) => this.#changed(home),
    });
    this.#options = options;
    this.#state = state;
    this.#sources = sources;
    this.#verdicts = new Verdicts({ sources, state, board, settlement, announcements, turns: this.#turns });
    this.#worker = worker;
    this.#selection = new Selection({ state, settlement, watched });
    this.#settling = new Settling({ ...options, sources, state, board, settlement, worker, announcements });
    const errors = () => [...announcements.errors, ...notices.errors];
    this.#overview = new Overview({ watched, state, board, settlement, errors });
    this.#newKeys = new NewKeys(options.secretKeys);
    this.#namespaceChanges = new NamespaceChanges(options.namespaces);
    this.#listen();
  }

  /**
   * Brings back what the accepted states of the last run say, without asking any source: where the newest manifest is bad, the
   * last good one. Resolves when it is projected.
   */
  async start(): Promise<void> {
    const { objects, projectors } = this.#options;
    const { git } = this.#sources;
    for (const one of git) await one.takeAccepted();
    this.#verdicts.recall();
    const isDoubted = (await recall(projectors, this.#state, git)) === 'older';
    for (const one of git) one.isDoubted = isDoubted;
    await objects?.store.synced;
    this.#sources.objects?.sync();
    const known = Array.from(this.#state.secrets(), ([key]) => key);
    if (isDoubted) this.#settling.postpone(known);
    else this.#settling.touch(known);
    await this.#worker.work(await this.#catchUp('restore'));
    this.#verdicts.withholdAll();
    this.#tell();
  }

  /** Takes up a new state; it goes ahead of what is only put back. Resolves when its work is done or has failed. */
  async accept(state: Accepted): Promise<void> {
    this.#sources.looked(state.source)?.take(state);
    this.#verdicts.accepted(state);
    await this.#worker.work(await this.#catchUp('commit'));
    await this.#releaseOrphans();
    await this.#sources.git.find(({ id }) => id === state.source)?.settled(state, this.#state);
  }

  /** Notes how a source's poll went; `undefined`: well. */
  polled(source: string, error: unknown): void {
    const watched = this.#sources.byId.get(source);
    if (watched === undefined) return;
    if (this.#verdicts.polled(watched, error)) this.#wakes.within(0);
    this.#tell();
  }

  /**
   * A source's newest commit was refused, and what it accepted before is all that counts: known to be true now, unless the cluster
   * knows of something newer. Returns whether it is so.
   */
  async stay(source: string): Promise<boolean> {
    if (this.#sources.git.find(({ id }) => id === source)?.isDoubted !== false) return false;
    await this.retry(source);
    return true;
  }

  /**
   * Tries again what the machine made fail and whose back-off is over, and carries out what was confirmed. Cheap when there is
   * nothing. `source`: its poll found nothing new, so that what is known of it is true now.
   */
  async retry(source?: string): Promise<void> {
    if (source !== undefined) this.#sources.looked(source);
    const homes = await this.#catchUp('commit');
    await this.#turns.take(() => this.#settling.takeConfirmed());
    const failures = this.#board.failures();
    if (await this.#newKeys.areThere(failures.values())) for (const home of failures.keys()) homes.add(home);
    for (const home of homes) this.#worker.add(home, 'restore');
    this.#worker.takeDue();
    // What waited when the log could not be written is in the queue still.
    await this.#worker.work(this.#worker.waiting());
    await this.#releaseOrphans();
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
      await this.#wakes.wait(signal);
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

  /** The manifest whose values were projected last. Throws what is wrong with reading it. */
  async projected(namespace: string, name: string): Promise<Manifest | undefined> {
    const home = this.#state.get(keyOf(namespace, name))?.home;
    const good = home === undefined ? undefined : this.#state.get(home)?.good;
    if (home === undefined || good === undefined) return undefined;
    return (await this.#selection.read(home, good)).manifest;
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

  /** The manifests that are projected, by NAMESPACE/NAME: their sources may have others, or none, by now. */
  *lastGood(): Iterable<{ home: Key; source: string; blob: string; text?: string }> {
    for (const [home, { good }] of this.#state.secrets()) {
      if (good === undefined) continue;
      const { source, blob, text } = good;
      yield { home, source, blob, ...(text === undefined ? {} : { text }) };
    }
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
    this.#sources.objects?.recheck(objects);
    if (areNamespacesOthers) await this.#turns.take(async () => this.#settling.reach(this.#namespaceChanges.take()));
    await this.#catchUp(areNamespacesOthers ? 'restore' : 'commit');
    await this.#turns.take(() => this.#settling.takeConfirmed());
    for (const home of mirrors) {
      if (this.#state.get(home) === undefined) continue;
      this.#worker.add(home, 'restore');
    }
    this.#worker.takeDue();
    this.#wakes.at(this.#worker.nextDue);
    await this.#worker.work(this.#worker.waiting());
  }

  async #catchUp(reason: Reason): Promise<Set<Key>> {
    const homes = await this.#turns.take(async () => {
      const touched = await this.#settling.catchUp(reason);
      this.#verdicts.settled();
      return touched;
    });
    this.#tell();
    if (this.#settling.isWaiting) this.#wakes.within(AGAIN);
    return homes;
  }

  /** Once all that could carry them are known: mirrors of what nobody remembers, for the state directory was lost. */
  async #releaseOrphans(): Promise<void> {
    const { publisher } = this.#options;
    if (publisher === undefined || !this.#hasOrphans || !this.#sources.isKnown()) return;
    const orphans = publisher.orphans().filter((home) => this.#state.get(home) === undefined);
    for (const home of orphans) {
      this.#worker.remove(home);
      this.#worker.add(home, 'restore');
    }
    await this.#worker.work(orphans);
    this.#hasOrphans = false;
  }

  /** Homes of which something is projected, or was worked on in this run (volumes leave no trace), in namespaces that stay. */
  #present(): Set<Key> {
    const { projectors, namespaces } = this.#options;
    const owned = projectors.flatMap((projector) => [...projector.owned()]);
    const homes = new Set([...this.#board.tried(), ...owned.map(({ namespace, name }) => keyOf(namespace, name))]);
    const stays = (home: Key) => namespaceProblem(namespaces, namesOf(home).namespace) === undefined;
    return new Set([...homes].filter(stays));
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
