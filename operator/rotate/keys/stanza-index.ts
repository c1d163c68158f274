import { isManifestPath } from '../../../core/config/repository.ts';
import { mayNeed, type SealedTo, sealedTo } from '../../../core/format/manifest/sealed-to.ts';
import { type Change, changesBetween } from '../../../core/git/trees/changes.ts';
import { isFile } from '../../../core/git/trees/tree.ts';
import { Turns } from '../../../core/turns.ts';
import type { Asked } from '../../requests/asked.ts';

/** Kid → stanzas of it. */
export type KeyCounts = ReadonlyMap<string, number>;

/** A file that is sealed to keys, or may be. Another blob is another one. */
export interface IndexedFile {
  path: string;
  /** Of its blob. */
  oid: string;
  to: SealedTo;
  /** What was found when it was parsed; absent: nobody has. */
  parsed?: ParsedFile;
}

export interface ParsedFile {
  /** Data keys in use, of manifests for this cluster, each with the id of the key to which the cluster's stanza is sealed. */
  own: readonly { id: string; kid: string }[];
  /** Which of them do not open, why, and with which keys that was tried. */
  refused?: { ids: ReadonlySet<string>; why: string; keys: string };
}

/**
 * Which files of a source's accepted state hold stanzas of which keys: from their bytes, so that a manifest which nobody can read
 * still hangs on its keys. A new state costs what differs from the one before.
 */
class StanzaIndex {
  readonly #files = new Map<string, IndexedFile>();
  #tree: string | null = null;
  #settings = '';

  async update({ source, state, config }: Asked, signal: AbortSignal): Promise<void> {
    const settings = JSON.stringify([config.include, config.ignore]);
    if (settings !== this.#settings) this.#forget();
    this.#settings = settings;
    if (this.#tree === state.tree) return;
    const turns = new Turns(signal);
    try {
      const options = { under: source.path, signal };
      for await (const change of changesBetween(source.repository, this.#tree, state.tree, options)) {
        if (isManifestPath(config, change.path)) await this.#take(source, change);
        await turns.next();
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
    for (const { to } of this.#files.values()) {
      for (const [kid, count] of to.counts) all.set(kid, (all.get(kid) ?? 0) + count);
    }
    return all;
  }

  /** The files that hold, or may hold, a stanza of one of these keys. */
  with(kids: ReadonlySet<string>): IndexedFile[] {
    return [...this.#files.values()].filter(({ to }) => [...kids].some((kid) => mayNeed(to, kid)));
  }

  #forget(): void {
    this.#files.clear();
    this.#tree = null;
  }

  async #take({ repository }: Asked['source'], { path, after }: Change): Promise<void> {
    this.#files.delete(path);
    if (after === undefined || !isFile(after)) return;
    const to = sealedTo(await repository.readBlob(after.oid), path);
    if (to.isUnclear || to.counts.size > 0) this.#files.set(path, { path, oid: after.oid, to });
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

  /** The files of a source that hold, or may hold, a stanza of one of these keys. */
  with(source: string, kids: ReadonlySet<string>): IndexedFile[] {
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
