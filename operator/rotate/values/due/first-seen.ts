import type { RotationMemory } from '../remembered/rotation-memory.ts';
import type { RotatingManifest, RotatingManifests } from '../rotating-manifests.ts';

/** Since when each text is there, by this operator's own memory and clock; where it knew nothing of the entry, by the commit's. */
export class FirstSeen {
  readonly #memory: RotationMemory;
  #isOther = false;

  constructor(memory: RotationMemory) {
    this.#memory = memory;
  }

  /** Notes the texts of a manifest in a state whose commit was made at `committed`. */
  note(source: string, row: RotatingManifest, { committed, now }: { committed: Date; now: Date }): void {
    for (const [entry, digest] of row.entries) {
      const key = keyOf(source, row, entry);
      const known = this.#memory.seen.get(key);
      // A clock that was ahead, and is set right, must not put it off for as long.
      if (known?.[0] === digest && Date.parse(known[1]) <= now.getTime()) continue;
      const since = known === undefined ? Math.min(committed.getTime(), now.getTime()) : now.getTime();
      this.#memory.seen.set(key, [digest, new Date(since).toISOString()]);
      this.#isOther = true;
    }
  }

  of(source: string, row: RotatingManifest, entry: string): Date | undefined {
    const known = this.#memory.seen.get(keyOf(source, row, entry));
    return known === undefined ? undefined : new Date(known[1]);
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
}

function keyOf(source: string, { namespace, name }: RotatingManifest, entry: string): string {
  return `${source} ${namespace}/${name} ${entry}`;
}
