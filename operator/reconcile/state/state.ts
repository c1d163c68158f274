import { join } from 'node:path';
import type { Key } from '../../project/namespaced-name.ts';
import type { GoodFiles } from '../../source/repository-settings.ts';
import type { Place, Version } from './claim.ts';
import { Journal } from './journal.ts';

/** The manifest whose values were projected last. Its blob stays readable in the clone for as long as this is remembered. */
export interface Good extends Version {
  /** When what it projects changed, RFC 3339 in UTC; absent where that was before this state directory. */
  changedAt?: string;
}

/** What is remembered of a (namespace, name). */
export interface SecretRecord {
  /** Whose it is; absent where only a projector knew of it (the state directory was lost). */
  owner?: Place;
  /** NAMESPACE/NAME of the manifest's metadata: it is projected under that name. */
  home: Key;
  /** It stays when its manifest goes. */
  retain: boolean;
  /** Its manifest is gone since this commit, and a person has to confirm the removal. */
  held?: string;
  /** A person confirmed its removal: it is not held again. */
  isLetGo?: true;
  /** Its manifest is gone, and it stays by its own deletionPolicy. */
  retained?: true;
  /** What retained it has been told: it is nobody's any more. */
  isReleased?: true;
  /** Only where the key is `home`. */
  good?: Good;
}

type Row = { secret: Key; record: SecretRecord | null } | { settings: string; good: [path: string, blob: string][] };

/**
 * What the operator remembers from run to run, in `STATE/journal.jsonl`: owners, what was projected last, held removals. No
 * plaintext, and no manifest that is in git. Changes are seen at once and are on disk after `flush`.
 */
export class State {
  readonly #secrets = new Map<Key, SecretRecord>();
  /** Home → the keys that it reaches. */
  readonly #reached = new Groups();
  /** File → the keys that it owns. */
  readonly #owned = new Groups();
  /** Commit → the keys whose removal is held for it. */
  readonly #held = new Groups();
  readonly #settings = new Map<string, GoodFiles>();
  #staged = new Map<string, Row>();
  #journal: Journal<Row> | undefined;

  private constructor() {}

  /** Throws `STATE_DAMAGED`, `STATE_UNWRITABLE`. */
  static async open(directory: string): Promise<State> {
    const state = new State();
    state.#journal = await Journal.open<Row>(join(directory, 'journal.jsonl'), {
      replay: (row) => state.#take(row),
      live: () => state.#rows(),
    });
    return state;
  }

  get(key: Key): SecretRecord | undefined {
    return this.#secrets.get(key);
  }

  secrets(): IterableIterator<[Key, SecretRecord]> {
    return this.#secrets.entries();
  }

  /** Every key of a home, itself included. */
  reached(home: Key): readonly Key[] {
    return [...this.#reached.of(home)];
  }

  /** The keys that a file of a source owns. */
  ownedBy(source: string, path: string): Iterable<Key> {
    return this.#owned.of(fileOf({ source, path }));
  }

  /** Commit → the keys whose removal is held for it. */
  held(): ReadonlyMap<string, ReadonlySet<Key>> {
    return this.#held.all;
  }

  /** How many secrets there are, each counted once however many namespaces it reaches. */
  get homes(): number {
    return this.#reached.all.size;
  }

  goodFiles(source: string): GoodFiles {
    return this.#settings.get(source) ?? new Map();
  }

  set(key: Key, record: SecretRecord): void {
    this.#stage(`secret ${key}`, { secret: key, record });
  }

  drop(key: Key): void {
    this.#stage(`secret ${key}`, { secret: key, record: null });
  }

  setGoodFiles(source: string, good: GoodFiles): void {
    this.#stage(`settings ${source}`, { settings: source, good: [...good] });
  }

  /** Throws `STATE_UNWRITABLE`; what was staged is then tried again by the next flush. */
  async flush(): Promise<void> {
    const rows = this.#staged;
    if (rows.size === 0 || this.#journal === undefined) return;
    await this.#journal.append([...rows.values()]);
    for (const [name, row] of rows) if (this.#staged.get(name) === row) this.#staged.delete(name);
    await this.#journal.compact(this.#secrets.size + this.#settings.size);
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  #stage(name: string, row: Row): void {
    this.#take(row);
    this.#staged.set(name, row);
  }

  #take(row: Row): void {
    if ('settings' in row) {
      this.#settings.set(row.settings, new Map(row.good));
      return;
    }
    const { secret, record } = row;
    const before = this.#secrets.get(secret);
    if (before !== undefined) this.#group(before, (groups, name) => groups.remove(name, secret));
    if (record === null) {
      this.#secrets.delete(secret);
      return;
    }
    this.#secrets.set(secret, record);
    this.#group(record, (groups, name) => groups.add(name, secret));
  }

  #group({ home, owner, held }: SecretRecord, change: (groups: Groups, name: string) => void): void {
    change(this.#reached, home);
    if (owner !== undefined) change(this.#owned, fileOf(owner));
    if (held !== undefined) change(this.#held, held);
  }

  *#rows(): Generator<Row> {
    for (const [secret, record] of this.#secrets) yield { secret, record };
    for (const [settings, good] of this.#settings) yield { settings, good: [...good] };
  }
}

function fileOf({ source, path }: Pick<Place, 'source' | 'path'>): string {
  return `${source}:${path}`;
}

/** Sets of keys by name; none is empty. */
class Groups {
  readonly all = new Map<string, Set<Key>>();

  of(name: string): ReadonlySet<Key> {
    return this.all.get(name) ?? new Set();
  }

  add(name: string, key: Key): void {
    const group = this.all.get(name);
    if (group === undefined) this.all.set(name, new Set([key]));
    else group.add(key);
  }

  remove(name: string, key: Key): void {
    const group = this.all.get(name);
    group?.delete(key);
    if (group?.size === 0) this.all.delete(name);
  }
}
