import { setImmediate } from 'node:timers/promises';
import { isManifestPath } from '../../../core/config/repository.ts';
import { type Change, changesBetween } from '../../../core/git/changes.ts';
import { isFile } from '../../../core/git/tree.ts';
import type { Asked } from '../../requests/asked.ts';

/** Kid → stanzas of it. */
export type KeyCounts = ReadonlyMap<string, number>;

/** A key id where something that is sealed to it follows. */
const SEALED = /(?<![0-9a-f])[0-9a-f]{32}(?=:[A-Za-z0-9_-]{64})/g;
/** After so many files the event loop gets its turn. */
const TURN = 64;

/**
 * Which files of a source's accepted state hold stanzas of which keys: from their bytes, so that a manifest which nobody can read
 * still hangs on its keys. A new state costs what differs from the one before.
 */
class StanzaIndex {
  readonly #files = new Map<string, KeyCounts>();
  #tree: string | null = null;
  #settings = '';

  async update({ source, state, config }: Asked, signal: AbortSignal): Promise<void> {
    const settings = JSON.stringify([config.include, config.ignore]);
    if (settings !== this.#settings) this.#forget();
    this.#settings = settings;
    if (this.#tree === state.tree) return;
    let turn = 0;
    try {
      const options = { under: source.path, signal };
      for await (const change of changesBetween(source.repository, this.#tree, state.tree, options)) {
        if (isManifestPath(config, change.path)) await this.#take(source, change);
        if (++turn % TURN === 0) await setImmediate();
      }
      this.#tree = state.tree;
    } catch (error) {
      // Part of it may be of the new state.
      this.#forget();
      throw error;
    }
  }

  /** Of all files together. */
  counts(): Map<string, number> {
    const all = new Map<string, number>();
    for (const counts of this.#files.values()) {
      for (const [kid, count] of counts) all.set(kid, (all.get(kid) ?? 0) + count);
    }
    return all;
  }

  /** Paths of the files that hold a stanza of one of these keys. */
  with(kids: ReadonlySet<string>): string[] {
    return Array.from(this.#files).flatMap(([path, counts]) =>
      [...counts.keys()].some((kid) => kids.has(kid)) ? path : [],
    );
  }

  #forget(): void {
    this.#files.clear();
    this.#tree = null;
  }

  async #take({ repository }: Asked['source'], { path, after }: Change): Promise<void> {
    const counts = after === undefined || !isFile(after) ? new Map() : keysIn(await repository.readBlob(after.oid));
    if (counts.size === 0) this.#files.delete(path);
    else this.#files.set(path, counts);
  }
}

/** Of all sources. */
export class StanzaIndexes {
  readonly #bySource = new Map<string, StanzaIndex>();

  async update(asked: readonly Asked[], signal: AbortSignal): Promise<void> {
    for (const one of asked) {
      const index = this.#bySource.get(one.source.id) ?? new StanzaIndex();
      this.#bySource.set(one.source.id, index);
      await index.update(one, signal);
    }
  }

  /** Paths of a source's files that hold a stanza of one of these keys. */
  with(source: string, kids: ReadonlySet<string>): string[] {
    return this.#bySource.get(source)?.with(kids) ?? [];
  }

  /** Undefined: nothing was counted. */
  counts(): KeyCounts | undefined {
    const all = new Map<string, number>();
    for (const index of this.#bySource.values()) {
      for (const [kid, count] of index.counts()) all.set(kid, (all.get(kid) ?? 0) + count);
    }
    return this.#bySource.size === 0 ? undefined : all;
  }
}

/** Of a file's bytes. */
export function keysIn(bytes: Buffer): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [kid] of bytes.toString('latin1').matchAll(SEALED)) counts.set(kid, (counts.get(kid) ?? 0) + 1);
  return counts;
}
