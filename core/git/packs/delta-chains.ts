import type { ObjectType } from '../object-type.ts';
import { Recent } from '../recent.ts';
import { applyDelta } from './delta.ts';
import { LARGEST_OBJECT, type Pack } from './pack.ts';

export interface GitObject {
  type: ObjectType;
  bytes: Buffer;
}

/** An entry of a pack. */
export interface PackedAt {
  pack: Pack;
  offset: number;
}

/** Bases of deltas that are kept, in bytes. */
const BASES = 32 * 2 ** 20;
/** Deltas of one chain that are held until their base is found; what is more is read again. */
const HELD = 16 * 2 ** 20;
/** Git's own limit on the length of a chain; a loop would have no end. */
const LONGEST = 4095;

/** Makes objects out of what packs hold: whole ones, and chains of deltas. */
export class DeltaChains {
  readonly #bases = new Recent<string, GitObject>({ sum: BASES, each: BASES / 4 }, ({ bytes }) => bytes.length);

  /**
   * `locate`: where the base that a delta names is, or the base itself. Throws RangeError where the packs are damaged, and
   * `GIT_FILE_TOO_LARGE`, before it is made, for an object that is larger than `largest`, in bytes.
   */
  read(start: PackedAt, largest: number, locate: (oid: string) => PackedAt | GitObject | undefined): GitObject {
    const links: { at: PackedAt; delta: Buffer | undefined }[] = [];
    let held = 0;
    let object: GitObject | undefined;
    for (let at = start; object === undefined; ) {
      object = this.#bases.get(keyOf(at));
      if (object !== undefined) break;
      if (links.length > LONGEST) throw new RangeError('a chain of deltas without an end');
      const packed = at.pack.read(at.offset, links.length === 0 ? largest : LARGEST_OBJECT);
      if (packed.type !== 'delta') {
        object = packed;
        if (links.length > 0) this.#bases.put(keyOf(at), object);
        break;
      }
      held += packed.bytes.length;
      links.push({ at, delta: held > HELD ? undefined : packed.bytes });
      const base: PackedAt | GitObject | undefined =
        'offset' in packed.base ? { pack: at.pack, offset: packed.base.offset } : locate(packed.base.oid);
      if (base === undefined) throw new RangeError('a delta without its base');
      if ('pack' in base) at = base;
      else object = base;
    }
    for (let link = links.pop(); link !== undefined; link = links.pop()) {
      const delta = link.delta ?? link.at.pack.read(link.at.offset, LARGEST_OBJECT).bytes;
      object = { type: object.type, bytes: applyDelta(object.bytes, delta, LARGEST_OBJECT) };
      if (links.length > 0) this.#bases.put(keyOf(link.at), object);
    }
    return object;
  }

  /** A pack was replaced, perhaps by another of its name. */
  forget(): void {
    this.#bases.clear();
  }
}

function keyOf({ pack, offset }: PackedAt): string {
  return `${pack.file}:${offset}`;
}
