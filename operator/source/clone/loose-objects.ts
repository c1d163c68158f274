import { join } from 'node:path';
import { flush } from '../../../core/files/atomic.ts';
import { writeLoose } from '../../../core/git/objects/loose-object.ts';
import { objectId } from '../../../core/git/objects/object-store.ts';
import type { ObjectType } from '../../../core/git/packs/pack.ts';

/** Objects of our own making, on their way into a clone. */
export class LooseObjects {
  readonly #objects = new Map<string, { type: ObjectType; bytes: Buffer }>();

  /** Returns its id; nothing is written before `flushTo`. */
  add(type: ObjectType, bytes: Buffer): string {
    const oid = objectId(type, bytes);
    this.#objects.set(oid, { type, bytes });
    return oid;
  }

  /** With their names on disk when it resolves. */
  async flushTo(objectsDirectory: string): Promise<void> {
    for (const [oid, { type, bytes }] of this.#objects) {
      writeLoose(objectsDirectory, type, bytes);
      await flush(join(objectsDirectory, oid.slice(0, 2)));
    }
    if (this.#objects.size > 0) await flush(objectsDirectory);
  }
}
