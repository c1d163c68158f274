import { CofferError } from '../../errors.ts';
import type { Turns } from '../../turns.ts';
import type { GitObject, ObjectStore } from '../objects/object-store.ts';
import { applyDelta, deltaSizes } from '../packs/delta.ts';
import type { ObjectType } from '../packs/pack.ts';
import { Recent } from '../recent.ts';
import { DeltaFamilies } from './delta-families.ts';
import type { EntryTable } from './entry-table.ts';
import { malformedPack, tooLargePack } from './faults.ts';
import type { PackFile } from './pack-file.ts';

/** Objects that are kept as bases of deltas to come, in bytes. */
const KEPT = 32 << 20;
/** Chains of deltas are this long at most where they make more than so many bytes: readers go through them for each object. */
const LONG_DEPTH = 50;
const LONG_BYTES = 1 << 20;
/** A delta that is so much longer than twice what it makes was made by nobody who wants to save room. */
const WASTE = 1 << 16;

export interface UnpackLimits {
  objectBytes: number;
  inflatedBytes: number;
  depth: number;
}

/**
 * Gives every entry of a pack its name. What has its base at hand is settled as it is read; the other deltas wait and are
 * settled base by base. Memory holds a few objects at a time: a base that is needed again later is made again, and what is made
 * again is counted, so that no shape of deltas costs more than the limits say.
 */
export class Unpacker {
  readonly #file: PackFile;
  readonly #table: EntryTable;
  readonly #limits: UnpackLimits;
  readonly #turns: Turns;
  readonly #recent = new Recent<number, Buffer>({ sum: KEPT, each: KEPT / 4 }, ({ length }) => length);
  readonly #waiting: DeltaFamilies;
  /** Of each delta that is settled. */
  readonly #baseOf: Int32Array;
  readonly #bases: ObjectStore;
  #remade = 0;

  constructor(parts: {
    file: PackFile;
    table: EntryTable;
    /** Of entries, with those that a thin pack leaves out. */
    capacity: number;
    limits: UnpackLimits;
    bases: ObjectStore;
    turns: Turns;
  }) {
    this.#file = parts.file;
    this.#table = parts.table;
    this.#limits = parts.limits;
    this.#bases = parts.bases;
    this.#turns = parts.turns;
    this.#waiting = new DeltaFamilies(parts.capacity);
    this.#baseOf = new Int32Array(parts.capacity).fill(-1);
  }

  /** Reads `count` entries from `start` on; returns where they end. */
  async readAll(start: number, count: number): Promise<number> {
    let at = start;
    for (let i = 0; i < count; i++) {
      at = this.#readOne(at);
      await this.#turns.next();
    }
    for (let number = 0; number < count; number++) {
      if (this.#table.type(number) !== undefined) await this.#settleAbove(number);
    }
    return at;
  }

  /**
   * Settles the deltas whose base is not in the pack but in the store (a thin pack). Returns the numbers that the bases got, in
   * order, to be written behind the pack's own entries. Throws `PACK_MALFORMED` where a base is nowhere, or deltas are each
   * other's.
   */
  async readThin(): Promise<number[]> {
    const added: number[] = [];
    for (const oid of this.#waiting.names()) {
      // The one before may have brought it.
      if (!this.#waiting.has(oid) || !this.#bases.has(oid)) continue;
      const { type, bytes } = this.#base(oid);
      this.#table.spend(bytes.length);
      const number = this.#table.add(Number.POSITIVE_INFINITY, 0);
      this.#settle(number, type, bytes);
      added.push(number);
      await this.#settleAbove(number);
      await this.#turns.next();
    }
    const left = this.#table.unsettled;
    if (left > 0) throw malformedPack(`${left} deltas have no base`);
    return added;
  }

  #readOne(at: number): number {
    const { kind, bytes, end } = this.#file.readNext(at);
    const number = this.#table.add(at, this.#file.crc(at, end));
    this.#table.spend(bytes.length);
    if ('type' in kind) {
      this.#settle(number, kind.type, bytes);
      return end;
    }
    const base = 'back' in kind ? this.#table.at(at - kind.back) : this.#table.named(kind.base);
    if (base === undefined) {
      if ('back' in kind) throw malformedPack(`a delta against nothing, at byte ${at}`);
      this.#waiting.waitForName(kind.base, number);
      return end;
    }
    const known = this.#table.type(base) === undefined ? undefined : this.#recent.get(base);
    if (known === undefined) this.#waiting.waitFor(base, number);
    else this.#settleDelta(number, base, known, bytes);
    return end;
  }

  /** All that waits for an entry, and for those in turn. */
  async #settleAbove(first: number): Promise<void> {
    const settled = [first];
    for (let base = settled.pop(); base !== undefined; base = settled.pop()) {
      const number = base;
      if (!this.#waiting.isWaitedFor(number, () => this.#table.oid(number))) continue;
      const bytes = this.#bytesOf(number);
      for (const delta of this.#waiting.take(number, this.#table.oid(number))) {
        this.#settleDelta(delta, number, bytes, this.#delta(delta));
        settled.push(delta);
        await this.#turns.next();
      }
    }
  }

  #settleDelta(number: number, base: number, baseBytes: Buffer, delta: Buffer): void {
    const depth = (this.#table.depths[base] ?? 0) + 1;
    if (depth > this.#limits.depth) throw tooLargePack(`a chain of more than ${this.#limits.depth} deltas`);
    const type = this.#table.type(base);
    if (type === undefined) throw malformedPack('a delta against a delta without a base');
    const bytes = this.#applied(number, baseBytes, delta);
    this.#table.spend(bytes.length);
    if (depth > LONG_DEPTH && bytes.length > LONG_BYTES) {
      throw tooLargePack(`a chain of more than ${LONG_DEPTH} deltas that make ${bytes.length} bytes`);
    }
    this.#table.depths[number] = depth;
    this.#baseOf[number] = base;
    this.#settle(number, type, bytes);
  }

  #settle(number: number, type: ObjectType, bytes: Buffer): void {
    this.#table.settle(number, type, bytes);
    this.#recent.put(number, bytes);
  }

  #delta(number: number): Buffer {
    return this.#file.readAgain(this.#table.offsets[number] ?? 0).bytes;
  }

  /** The content of a settled entry, made again from the nearest base that is at hand where it has to be. */
  #bytesOf(wanted: number): Buffer {
    const chain: number[] = [];
    let bytes = this.#recent.get(wanted);
    for (let number = wanted; bytes === undefined; bytes = this.#recent.get(number)) {
      const base = this.#baseOf[number] ?? -1;
      if (base < 0) {
        bytes = this.#whole(number);
        break;
      }
      chain.push(number);
      number = base;
    }
    for (let number = chain.pop(); number !== undefined; number = chain.pop()) {
      bytes = this.#applied(number, bytes, this.#delta(number));
      this.#countRemade(bytes.length);
    }
    this.#recent.put(wanted, bytes);
    return bytes;
  }

  #whole(number: number): Buffer {
    const isInPack = Number.isFinite(this.#table.offsets[number]);
    const bytes = isInPack ? this.#delta(number) : this.#base(this.#table.oid(number)).bytes;
    this.#countRemade(bytes.length);
    return bytes;
  }

  #base(oid: string): GitObject {
    try {
      return this.#bases.read(oid, this.#limits.objectBytes);
    } catch (error) {
      if (!(error instanceof CofferError) || error.code !== 'GIT_FILE_TOO_LARGE') throw error;
      throw tooLargePack(`a delta against more than ${this.#limits.objectBytes} bytes`);
    }
  }

  #applied(number: number, base: Buffer, delta: Buffer): Buffer {
    try {
      const { result } = deltaSizes(delta);
      if (result > this.#limits.objectBytes) throw tooLargePack(`a delta that makes ${result} bytes`);
      if (delta.length > 2 * result + WASTE) throw new RangeError('a delta that is longer than what it makes');
      return applyDelta(base, delta, result);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw malformedPack(`${error.message}, at byte ${this.#table.offsets[number]}`, error);
    }
  }

  #countRemade(bytes: number): void {
    this.#remade += bytes;
    if (this.#remade > this.#limits.inflatedBytes) throw tooLargePack('deltas that are too much work');
  }
}
