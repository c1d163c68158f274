import { Recent } from '../recent.ts';
import { entryFrom, entryPlaces, findEntry, type TreeEntry } from './tree.ts';

/** Of all that is kept, in bytes. */
const MOST = 64 * 2 ** 20;
const MOST_TREES = 1024;
/** A folder that was asked for so many names is indexed. */
const MANY = 8;
/** What an index takes, in bytes of its tree. */
const INDEX_FACTOR = 3;

interface RecentTree {
  bytes: Buffer;
  asked: number;
  places?: ReadonlyMap<string, number>;
}

/**
 * The trees that were read last, the oldest go first. What looks up n names in a folder of n files costs n: after a few names
 * the folder has an index.
 */
export class RecentTrees {
  readonly #kept = new Recent<string, RecentTree>({ sum: MOST, count: MOST_TREES }, costOf);

  get(oid: string): Buffer | undefined {
    return this.#kept.get(oid)?.bytes;
  }

  put(oid: string, bytes: Buffer): void {
    this.#kept.put(oid, { bytes, asked: 0 });
  }

  /** The entry of a legal name in a tree that `read` brings where it is not here. */
  entry(oid: string, name: string, read: () => Buffer): TreeEntry | undefined {
    const recent = this.#kept.get(oid) ?? { bytes: read(), asked: 0 };
    recent.asked++;
    if (recent.places === undefined && recent.asked > MANY) {
      recent.places = entryPlaces(recent.bytes);
      this.#kept.put(oid, recent);
    }
    if (recent.places === undefined) return findEntry(recent.bytes, name);
    const place = recent.places.get(name);
    return place === undefined ? undefined : entryFrom(recent.bytes, place);
  }
}

function costOf({ bytes, places }: RecentTree): number {
  return bytes.length * (places === undefined ? 1 : INDEX_FACTOR);
}
