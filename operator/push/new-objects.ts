import { createHash } from 'node:crypto';
import type { ObjectType } from '../../core/git/object-type.ts';
import { type GitObject, objectId } from '../../core/git/objects/object-store.ts';
import { packedEntry } from '../../core/git/packs/pack-entry.ts';

/** Objects of our own making that a server lacks. */
export class NewObjects {
  readonly #objects = new Map<string, GitObject>();

  /** Returns its id. */
  add(type: ObjectType, bytes: Buffer): string {
    const oid = objectId(type, bytes);
    this.#objects.set(oid, { type, bytes });
    return oid;
  }

  get(oid: string): GitObject | undefined {
    return this.#objects.get(oid);
  }

  /** What others hold is held here, too. */
  take(others: NewObjects): void {
    for (const [oid, object] of others.#objects) this.#objects.set(oid, object);
  }

  /** All of them, whole, as a pack of version 2 (git's pack-format page). */
  pack(): Buffer {
    const head = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
    head.writeUInt32BE(this.#objects.size, 8);
    const entries = Array.from(this.#objects.values(), ({ type, bytes }) => packedEntry(type, bytes));
    const body = Buffer.concat([head, ...entries]);
    return Buffer.concat([body, createHash('sha1').update(body).digest()]);
  }
}
