import type { Pack, PackPlace } from '../packs/pack.ts';
import { deltaEntry, packedEntry, readEntryHeader } from '../packs/pack-entry.ts';
import { type PackedObject, writeEntries } from '../packs/pack-writer.ts';
import type { GitObject, ObjectStore } from './object-store.ts';

/** Git's own limit on the length of a chain of deltas. */
const DEPTH = 4095;

/** An object's entry in one of the old packs. */
interface Place extends PackPlace {
  pack: Pack;
}

/**
 * Writes what these packs hold, as far as it is wanted, into one new pack, each object once. Entries are copied as they are, the
 * smallest where there are several, so that a history stays as small as it came: what fetches brought as deltas stays deltas.
 * Returns the path without extension; the old packs stay. Throws as ObjectStore.read does.
 */
export async function repack(
  folder: string,
  store: ObjectStore,
  packs: readonly Pack[],
  isWanted: (oid: string) => boolean,
): Promise<string> {
  const places = new Map<string, Place>();
  const names = new Map<Pack, Map<number, string>>();
  for (const pack of packs) {
    const entries = pack.entries();
    names.set(pack, new Map(entries.map(({ offset, oid }) => [offset, oid])));
    for (const place of entries) {
      const other = places.get(place.oid);
      const isSmaller = other === undefined || place.end - place.offset < other.end - other.offset;
      if (isSmaller && isWanted(place.oid)) places.set(place.oid, { ...place, pack });
    }
  }
  const repacker = new Repacker(places, names, (oid) => store.read(oid));
  return writeEntries(folder, places.size, repacker.objects());
}

class Repacker {
  readonly #places: ReadonlyMap<string, Place>;
  /** Of each pack, what lies where. */
  readonly #names: ReadonlyMap<Pack, ReadonlyMap<number, string>>;
  readonly #read: (oid: string) => GitObject;
  /** Where the objects are that were written, and how many deltas each stands on. */
  readonly #written = new Map<string, { at: number; depth: number }>();

  constructor(
    places: ReadonlyMap<string, Place>,
    names: ReadonlyMap<Pack, ReadonlyMap<number, string>>,
    read: (oid: string) => GitObject,
  ) {
    this.#places = places;
    this.#names = names;
    this.#read = read;
  }

  /** Bases before what stands on them. Where entries of several packs stand on each other, one becomes the whole object. */
  *objects(): Generator<PackedObject> {
    const isEntered = new Set<string>();
    for (const first of this.#places.keys()) {
      const stack = [first];
      for (let oid = stack.at(-1); oid !== undefined; oid = stack.at(-1)) {
        const place = this.#places.get(oid);
        const base = isEntered.has(oid) || place === undefined ? undefined : this.#baseOf(place);
        isEntered.add(oid);
        if (base !== undefined && this.#places.has(base) && !isEntered.has(base)) {
          stack.push(base);
          continue;
        }
        stack.pop();
        if (place !== undefined && !this.#written.has(oid)) yield { oid, entry: (at) => this.#entry(place, at) };
      }
    }
  }

  #baseOf({ pack, ...place }: Place): string | undefined {
    const raw = pack.raw(place);
    if (raw === undefined) return undefined;
    const { kind } = readEntryHeader(raw, 0);
    if ('type' in kind) return undefined;
    return 'base' in kind ? kind.base : this.#names.get(pack)?.get(place.offset - kind.back);
  }

  #entry(place: Place, at: number): Buffer {
    const { oid, pack } = place;
    const raw = pack.raw(place);
    if (raw === undefined) return this.#whole(oid, at);
    const { kind, size, length } = readEntryHeader(raw, 0);
    if ('type' in kind) {
      this.#written.set(oid, { at, depth: 0 });
      return raw;
    }
    const base = this.#written.get(this.#baseOf(place) ?? '');
    if (base === undefined || base.depth === DEPTH) return this.#whole(oid, at);
    this.#written.set(oid, { at, depth: base.depth + 1 });
    return deltaEntry(at - base.at, size, raw.subarray(length));
  }

  #whole(oid: string, at: number): Buffer {
    const { type, bytes } = this.#read(oid);
    this.#written.set(oid, { at, depth: 0 });
    return packedEntry(type, bytes);
  }
}
