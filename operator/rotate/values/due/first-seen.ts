import { textDigest } from '../../../../core/exposure/text-digest.ts';
import { entryOfPrevious } from '../../../../core/format/manifest/rotation.ts';
import type { RotationMemory } from '../remembered/rotation-memory.ts';
import { secretKey } from '../remembered/secret-key.ts';
import type { RotatingManifest, RotatingManifests } from '../rotating-manifests.ts';

const ROTATED = 'rotated';

/**
 * Since when each text is there, by this operator's own memory and clock; where it knew nothing of the entry, by the commit's. And
 * whether a rotation left it: a value may only be named like a former one, and be one that people need.
 */
export class FirstSeen {
  readonly #memory: RotationMemory;
  #isOther = false;

  constructor(memory: RotationMemory) {
    this.#memory = memory;
  }

  /** Notes the texts of a manifest in a state whose commit was made at `committed`. */
  note(source: string, row: RotatingManifest, { committed, now }: { committed: Date; now: Date }): void {
    const former = new Set([...row.entries.keys()].filter((entry) => this.#isLeftByRotation(source, row, entry)));
    for (const [entry, digest] of row.entries) {
      const key = keyOf(source, row, entry);
      const known = this.#memory.seen.get(key);
      // A clock that was ahead, and is set right, must not put it off for as long.
      if (known?.[0] === digest && Date.parse(known[1]) <= now.getTime()) continue;
      const since = known === undefined ? Math.min(committed.getTime(), now.getTime()) : now.getTime();
      const time = new Date(since).toISOString();
      this.#memory.seen.set(key, former.has(entry) ? [digest, time, ROTATED] : [digest, time]);
      this.#isOther = true;
    }
  }

  of(source: string, row: RotatingManifest, entry: string): Date | undefined {
    const known = this.#memory.seen.get(keyOf(source, row, entry));
    return known === undefined ? undefined : new Date(known[1]);
  }

  /** Whether this former value is one that a rotation left, and that may go. */
  isRotated(source: string, secret: { namespace: string; name: string }, previous: string): boolean {
    return this.#memory.seen.get(keyOf(source, secret, previous))?.[2] === ROTATED;
  }

  /** That these are such, though nobody has seen them come. */
  noteRotated(source: string, row: RotatingManifest, previous: readonly string[]): void {
    for (const name of previous) {
      const key = keyOf(source, row, name);
      const known = this.#memory.seen.get(key);
      if (known === undefined) continue;
      this.#memory.seen.set(key, [known[0], known[1], ROTATED]);
      this.#isOther = true;
    }
  }

  /** Forgets what no manifest has any more. */
  keepOnly(rows: Iterable<readonly [site: RotatingManifests, row: RotatingManifest]>): void {
    const keys = new Set<string>();
    for (const [{ source }, row] of rows)
      for (const entry of row.entries.keys()) keys.add(keyOf(source.id, row, entry));
    for (const key of this.#memory.seen.keys()) {
      if (keys.has(key)) continue;
      this.#memory.seen.delete(key);
      this.#isOther = true;
    }
  }

  async save(): Promise<void> {
    if (!this.#isOther) return;
    await this.#memory.keepSeen();
    this.#isOther = false;
  }

  /**
   * A rotation of ours has this text; or else the former value came when the entry's own became another, as with `coffer rotate`. One
   * that was there stays what it was, however it is sealed anew.
   */
  #isLeftByRotation(source: string, row: RotatingManifest, previous: string): boolean {
    const entry = entryOfPrevious(previous);
    if (entry === undefined) return false;
    const known = this.#memory.seen.get(keyOf(source, row, previous));
    const digest = row.entries.get(previous);
    if (known?.[0] === digest) return known?.[2] === ROTATED;
    const isOurs = this.#memory
      .of(source, row)
      .some(({ values }) =>
        values.some(({ entry: name, text }) => name === previous && text !== undefined && textDigest(text) === digest),
      );
    const own = this.#memory.seen.get(keyOf(source, row, entry));
    const isOther = own !== undefined && own[0] !== row.entries.get(entry);
    return isOurs || (isOther && (known === undefined || known[2] === ROTATED));
  }
}

function keyOf(source: string, secret: { namespace: string; name: string }, entry: string): string {
  return `${secretKey(source, secret)} ${entry}`;
}
