import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { flush, writeFileAtomically } from '../../core/files/atomic.ts';
import type { ObjectType } from '../../core/git/pack.ts';

/** Objects of our own making, on their way into a clone: git's loose form (gitformat-loose, "Loose object format"). */
export class LooseObjects {
  readonly #objects = new Map<string, Buffer>();

  /** Returns its id; nothing is written before `flushTo`. */
  add(type: ObjectType, bytes: Buffer): string {
    const content = Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes]);
    const oid = createHash('sha1').update(content).digest('hex');
    this.#objects.set(oid, content);
    return oid;
  }

  /** On disk when it resolves. */
  async flushTo(objectsDirectory: string): Promise<void> {
    for (const [oid, content] of this.#objects) {
      const folder = join(objectsDirectory, oid.slice(0, 2));
      await mkdir(folder, { recursive: true });
      await writeFileAtomically(join(folder, oid.slice(2)), deflateSync(content), { mode: 0o444 });
    }
    if (this.#objects.size > 0) await flush(objectsDirectory);
  }
}
