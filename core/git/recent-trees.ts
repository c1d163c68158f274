import { entryFrom, entryPlaces, findEntry, type TreeEntry } from './tree.ts';

/** Of all that is kept, in bytes. */
const MOST = 64 * 2 ** 20;
const MOST_TREES = 1024;
/** A folder that was asked for so many names is indexed. */
const MANY = 8;
/** What an index takes, in bytes of its tree. */
const INDEX_FACTOR = 3;

interface Recent {
  bytes: Buffer;
  asked: number;
  places?: ReadonlyMap<string, number>;
}

/**
 * The trees that were read last, the oldest go first. What looks up n names in a folder of n files costs n: after a few names
 * the folder has an index.
 */
export class RecentTrees {
  readonly #kept = new Map<string, Recent>();
  #sum = 0;

  get(oid: string): Buffer | undefined {
    return this.#recent(oid)?.bytes;
  }

  put(oid: string, bytes: Buffer): void {
    this.#add(oid, { bytes, asked: 0 });
  }

  /** The entry of a legal name in a tree that `read` brings where it is not here. */
  entry(oid: string, name: string, read: () => Buffer): TreeEntry | undefined {
    const recent = this.#recent(oid) ?? { bytes: read(), asked: 0 };
    recent.asked++;
    if (recent.places === undefined && recent.asked > MANY) {
      this.#remove(oid);
      recent.places = entryPlaces(recent.bytes);
      this.#add(oid, recent);
    }
    if (recent.places === undefined) return findEntry(recent.bytes, name);
    const place = recent.places.get(name);
    return place === undefined ? undefined : entryFrom(recent.bytes, place);
  }

  #recent(oid: string): Recent | undefined {
    const recent = this.#kept.get(oid);
    if (recent === undefined) return undefined;
    this.#kept.delete(oid);
    this.#kept.set(oid, recent);
    return recent;
  }

  #add(oid: string, recent: Recent): void {
    this.#remove(oid);
    this.#kept.set(oid, recent);
    this.#sum += costOf(recent);
    for (const oldest of this.#kept.keys()) {
      if (this.#sum <= MOST && this.#kept.size <= MOST_TREES) return;
      this.#remove(oldest);
    }
  }

  #remove(oid: string): void {
    const recent = this.#kept.get(oid);
    if (recent === undefined) return;
    this.#kept.delete(oid);
    this.#sum -= costOf(recent);
  }
}

function costOf({ bytes, places }: Recent): number {
  return bytes.length * (places === undefined ? 1 : INDEX_FACTOR);
}
