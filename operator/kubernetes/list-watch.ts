import type { CofferError } from '../../core/errors.ts';
import { BackOff } from '../concurrency/back-off.ts';
import { pause } from '../concurrency/pause.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { KubernetesError } from './kubernetes-error.ts';
import type { KubeObject, Resource } from './resource.ts';

/** Who is told of what is there. Calls are synchronous and in order; what is kept of the objects is the listener's choice. */
export interface Seen<T extends KubeObject> {
  /** New, changed, or there at a list: also where nothing changed. */
  changed(object: T): void;
  /** Once for each that was known. A deleted and recreated object is deleted, then changed. */
  deleted(name: { namespace: string; name: string; uid: string }): void;
  /** A list has been told in full; again after each relist. */
  synced?(): void;
}

export interface ListWatchOptions {
  resource: Resource;
  /** Absent: all. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  metadataOnly?: boolean;
  /** Milliseconds; absent: half an hour. A fifth more or less, so that not all lists come at once. */
  relistEvery?: number;
  /**
   * Milliseconds without a byte after which a watch is opened anew: a connection may die without a word. Absent: 90 s, since
   * the API server sends a bookmark about once a minute (KEP-956).
   */
  silence?: number;
}

const RELIST = 30 * 60_000;
const SILENCE = 90_000;
/** Milliseconds. */
const FIRST_WAIT = 200;
const LONGEST_WAIT = 10_000;
/** A watch that fails at the same place so often may be at a line that never comes whole: then all is listed. */
const WATCHES_WITHOUT_NEWS = 3;

/** Passes only when a person gives a right or installs the kind: nobody should wait for it. */
const LASTING: ReadonlySet<string> = new Set(['KUBERNETES_FORBIDDEN', 'KUBERNETES_NO_KIND']);

/**
 * What is there: a list, and the changes after it over a watch, which is opened again where it ended. Everything is listed
 * again when the server no longer has those changes, and on a timer, in case that anything was missed.
 */
export class ListWatch<T extends KubeObject> {
  /** The first list was told. Never resolves where that never succeeds. */
  readonly synced: Promise<void>;
  /** The first list was told, or the server refused it for want of a right or of the kind, which lasts until a person acts. */
  readonly settled: Promise<void>;
  readonly #client: KubeClient;
  readonly #options: ListWatchOptions;
  readonly #seen: Seen<T>;
  readonly #firstSync = Promise.withResolvers<void>();
  readonly #firstAnswer = Promise.withResolvers<void>();
  /** Uids by `NAMESPACE/NAME`. */
  readonly #known = new Map<string, string>();
  readonly #waits = new BackOff(FIRST_WAIT, LONGEST_WAIT);
  #trouble: CofferError | undefined;
  /** Where the next watch begins; absent: everything is to be listed. */
  #resourceVersion: string | undefined;
  #relistAt = 0;
  #restarts = 0;

  constructor(client: KubeClient, options: ListWatchOptions, seen: Seen<T>) {
    this.#client = client;
    this.#options = options;
    this.#seen = seen;
    this.synced = this.#firstSync.promise;
    this.settled = this.#firstAnswer.promise;
  }

  /** Why the server cannot be asked now; gone as soon as it answers. */
  get trouble(): CofferError | undefined {
    return this.#trouble;
  }

  /** How often a list or a watch was begun again after a failure. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Until the signal. Rejects only by a mistake of ours. */
  async run(signal: AbortSignal): Promise<void> {
    let withoutNews = 0;
    while (!signal.aborted) {
      const from = this.#resourceVersion;
      try {
        if (this.#resourceVersion === undefined || performance.now() >= this.#relistAt) await this.#list(signal);
        const before = this.#resourceVersion;
        await this.#watch(signal);
        withoutNews = 0;
        // The server ends each watch after some minutes; one that ends at once, again and again, must not spin.
        if (this.#resourceVersion === before) await pause(this.#waits.next(), signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubernetesError)) throw error;
        withoutNews = this.#resourceVersion === from ? withoutNews + 1 : 0;
        this.#restarts++;
        const isLost = error.code === 'KUBERNETES_GONE' || withoutNews > WATCHES_WITHOUT_NEWS;
        if (isLost) this.#resourceVersion = undefined;
        if (error.code !== 'KUBERNETES_GONE') this.#trouble = error;
        if (LASTING.has(error.code)) this.#firstAnswer.resolve();
        await pause(Math.max(this.#waits.next(), error.retryAfter), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const missing = new Map<string, string>();
    const { resourceVersion } = await this.#client.listPages<T>(
      this.#options.resource,
      { ...this.#options, signal },
      (items, isFirst) => {
        if (isFirst) for (const [key, uid] of this.#known) missing.set(key, uid);
        for (const object of items) {
          missing.delete(keyOf(object));
          this.#changed(object);
        }
      },
    );
    for (const [key, uid] of missing) this.#deleted(key, uid);
    this.#resourceVersion = resourceVersion;
    this.#relistAt = performance.now() + (this.#options.relistEvery ?? RELIST) * (0.8 + Math.random() * 0.4);
    this.#isWell();
    this.#seen.synced?.();
    this.#firstSync.resolve();
    this.#firstAnswer.resolve();
  }

  /** Resolves when the server ends it, or when it is time to list again. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { resource, silence = SILENCE } = this.#options;
    const resourceVersion = this.#resourceVersion ?? '';
    const relist = new AbortController();
    const timer = setTimeout(() => relist.abort(), Math.max(0, this.#relistAt - performance.now()));
    const end = () => relist.abort();
    signal.addEventListener('abort', end, { once: true });
    try {
      await this.#client.watch(
        resource,
        { ...this.#options, resourceVersion, silence, signal: relist.signal },
        { opened: () => this.#isWell(), event: (event) => this.#take(event) },
      );
    } catch (error) {
      if (!relist.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'ADDED' || type === 'MODIFIED') this.#changed(object as T);
    if (type === 'DELETED') this.#deleted(keyOf(object), object.metadata.uid ?? '');
    this.#resourceVersion = object.metadata.resourceVersion;
    this.#waits.reset();
  }

  #changed(object: T): void {
    const key = keyOf(object);
    const uid = object.metadata.uid ?? '';
    const known = this.#known.get(key);
    if (known !== undefined && known !== uid) this.#deleted(key, known);
    this.#known.set(key, uid);
    this.#seen.changed(object);
  }

  #deleted(key: string, uid: string): void {
    // A watch that begins again may tell of the end of an object that has been made anew since.
    if (this.#known.get(key) !== uid) return;
    this.#known.delete(key);
    const [namespace = '', name = ''] = key.split('/');
    this.#seen.deleted({ namespace, name, uid });
  }

  #isWell(): void {
    this.#trouble = undefined;
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
