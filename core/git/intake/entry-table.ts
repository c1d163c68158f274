import { CofferError } from '../../errors.ts';
import { refusedProblem } from '../grammar/check.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { objectId } from '../objects/object-store.ts';
import type { ObjectType } from '../packs/pack.ts';
import type { IndexColumns } from '../packs/pack-index.ts';
import { isCollisionAttack } from '../sha1/collision-attack.ts';
import { attackedObject, collision, malformedPack, refusedObject, tooLargePack } from './faults.ts';

const HASH = 20;
/** Whether an object was made to collide with another. */
export type IsAttack = (type: ObjectType, bytes: Uint8Array) => boolean;

const TYPES: readonly ObjectType[] = ['commit', 'tree', 'blob', 'tag'];

/**
 * What is known of each entry of a pack: where it stands, and once it is settled what object it is. Columns instead of objects:
 * a million entries are 50 MB.
 */
export class EntryTable implements IndexColumns {
  count = 0;
  readonly oids: Buffer;
  readonly offsets: Float64Array;
  readonly crcs: Uint32Array;
  /** Of its chain of deltas. */
  readonly depths: Uint16Array;
  readonly #types: Uint8Array;
  readonly #numbers = new Map<string, number>();
  readonly #isHere: (oid: string) => boolean;
  readonly #bases: ObjectStore;
  readonly #limit: number;
  readonly #isAttack: IsAttack;
  #inflated = 0;

  /** `inflated`: bytes of all objects together; `bases`: what is there already. */
  constructor(capacity: number, inflated: number, bases: ObjectStore, isAttack: IsAttack = isCollisionAttack) {
    this.oids = Buffer.alloc(capacity * HASH);
    this.offsets = new Float64Array(capacity);
    this.crcs = new Uint32Array(capacity);
    this.depths = new Uint16Array(capacity);
    this.#types = new Uint8Array(capacity);
    this.#limit = inflated;
    this.#isAttack = isAttack;
    this.#bases = bases;
    this.#isHere = bases.lookup();
  }

  /** The number of the new entry. */
  add(offset: number, crc: number): number {
    const number = this.count++;
    this.offsets[number] = offset;
    this.crcs[number] = crc;
    return number;
  }

  /** Counts what was inflated or made from a delta. */
  spend(bytes: number): void {
    this.#inflated += bytes;
    if (this.#inflated > this.#limit) throw tooLargePack(`more than ${this.#limit} bytes of objects`);
  }

  /**
   * Names an entry by its content, and checks that. Throws `PACK_OBJECT_REFUSED`, `PACK_COLLISION_ATTACK`, `PACK_COLLISION`,
   * `PACK_MALFORMED`.
   */
  settle(number: number, type: ObjectType, bytes: Buffer): string {
    const oid = objectId(type, bytes);
    const problem = refusedProblem(type, bytes);
    if (problem !== undefined) throw refusedObject(type, oid, problem);
    if (this.#isAttack(type, bytes)) throw attackedObject(type, oid);
    if (this.#numbers.has(oid)) throw malformedPack(`it holds the object ${oid} twice`);
    if (this.#isHere(oid) && !this.#isSame(oid, type, bytes)) throw collision(oid);
    this.#numbers.set(oid, number);
    this.oids.write(oid, number * HASH, 'hex');
    this.#types[number] = TYPES.indexOf(type) + 1;
    return oid;
  }

  get unsettled(): number {
    return this.count - this.#numbers.size;
  }

  type(number: number): ObjectType | undefined {
    return TYPES[(this.#types[number] ?? 0) - 1];
  }

  oid(number: number): string {
    return this.oids.toString('hex', number * HASH, (number + 1) * HASH);
  }

  /** The entry at an offset; entries were added in the order of their offsets. */
  at(offset: number): number | undefined {
    let low = 0;
    for (let high = this.count; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.offsets[low] === offset ? low : undefined;
  }

  /** The settled entry of that name. */
  named(oid: string): number | undefined {
    return this.#numbers.get(oid);
  }

  #isSame(oid: string, type: ObjectType, bytes: Buffer): boolean {
    try {
      const own = this.#bases.read(oid);
      return own.type === type && own.bytes.equals(bytes);
    } catch (error) {
      // The one that is here is damaged: this is how it is mended.
      if (error instanceof CofferError) return true;
      throw error;
    }
  }
}
