import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import type { Outstanding } from '../../core/trust/verdict.ts';

/** What a source accepted last, as it is known beside the source's own clone: nothing older may follow. */
export interface Floor {
  /** `Source.id`. */
  source: string;
  address: string;
  /** The branch, or the glob of tags, that was followed. */
  follows: string;
  path: string;
  commit: string;
  /** As in `Remembered`. */
  outstanding: readonly Outstanding[];
  /** Of paths that are held back, what stands in their place: blobs of the history; `null`: nothing. */
  held: Record<string, { mode: string; oid: string } | null>;
  /** When it was accepted, RFC 3339 in UTC. */
  time: string;
}

/** A place where floors are kept, by source. */
export interface FloorStore {
  read(): Promise<Floor[]>;
  /** Replaces that of the same source. */
  write(floor: Floor): Promise<void>;
}

const FILE = 'accepted.json';

/** In the state directory: outlives a clone that is removed, and a change of the configuration that makes another source of it. */
export class FloorFile implements FloorStore {
  readonly #file: string;

  constructor(stateDirectory: string) {
    this.#file = join(stateDirectory, FILE);
  }

  async read(): Promise<Floor[]> {
    const text = await readIfThere(this.#file);
    return text === '' ? [] : parse(text, this.#file);
  }

  async write(floor: Floor): Promise<void> {
    const others = (await this.read()).filter(({ source }) => source !== floor.source);
    await writeFileAtomically(this.#file, `${JSON.stringify([...others, floor], null, 2)}\n`, { mode: 0o600 });
  }
}

function parse(text: string, file: string): Floor[] {
  const damaged = (cause?: unknown) =>
    new CofferError('TRUST_MEMORY_DAMAGED', 'What was remembered of the accepted commits cannot be read.', {
      advice:
        'Restore the state directory; or remove the file, and accept a commit with `coffer-operator accept COMMIT`.',
      data: { file },
      loop: 'stop',
      cause,
    });
  try {
    const floors: unknown = JSON.parse(text);
    if (Array.isArray(floors) && floors.every(isFloor)) return floors;
  } catch (error) {
    throw damaged(error);
  }
  throw damaged();
}

const COMMIT = /^[0-9a-f]{40}$/;

export function isFloor(value: unknown): value is Floor {
  const { source, address, follows, path, commit, outstanding, held, time } = (value ?? {}) as Partial<Floor>;
  const isText = [source, address, follows, path, time].every((part) => typeof part === 'string');
  const isCommit = (text: unknown) => typeof text === 'string' && COMMIT.test(text);
  return isText && isCommit(commit) && Array.isArray(outstanding) && typeof held === 'object' && held !== null;
}

/** All floors that bind one source. */
export class Floors {
  readonly #stores: readonly FloorStore[];
  #known: readonly Floor[] = [];
  /** What could not be written yet, by store. */
  readonly #owed = new Map<FloorStore, Map<string, Floor>>();
  /** Why the last one could not be written; the next look tries again. */
  trouble: CofferError | undefined;

  private constructor(stores: readonly FloorStore[]) {
    this.#stores = stores;
  }

  /** Throws what keeps it from reading. */
  static async open(stores: readonly FloorStore[]): Promise<Floors> {
    const floors = new Floors(stores);
    floors.#known = (await Promise.all(stores.map((store) => store.read()))).flat();
    return floors;
  }

  /** The newest of a source: another replica may know more than this state directory. */
  of(source: string): Floor | undefined {
    return this.#known.filter((floor) => floor.source === source).toSorted(newestFirst)[0];
  }

  /** Of other sources that followed the same: another folder of it was configured. */
  besides({ source, address, follows }: Pick<Floor, 'source' | 'address' | 'follows'>): Floor[] {
    const isBeside = (floor: Floor) =>
      floor.source !== source && floor.address === address && floor.follows === follows;
    const bySource = Map.groupBy(this.#known.filter(isBeside), (floor) => floor.source);
    return [...bySource.values()].flatMap((floors) => floors.toSorted(newestFirst).slice(0, 1));
  }

  /** A store that cannot be written is tried again by `settle`: the ref in the clone, which moved, holds meanwhile. */
  async write(floor: Floor): Promise<void> {
    this.#known = [...this.#known.filter(({ source }) => source !== floor.source), floor];
    for (const store of this.#stores) {
      const owed = this.#owed.get(store) ?? new Map<string, Floor>();
      this.#owed.set(store, owed.set(floor.source, floor));
    }
    await this.settle();
  }

  async settle(): Promise<void> {
    let trouble: CofferError | undefined;
    for (const [store, owed] of this.#owed) {
      for (const [source, floor] of owed) {
        try {
          await store.write(floor);
          // Another source's look may have owed a newer one meanwhile.
          if (owed.get(source) === floor) owed.delete(source);
        } catch (error) {
          if (!(error instanceof CofferError)) throw error;
          trouble = error;
        }
      }
    }
    this.trouble = trouble;
  }
}

function newestFirst(a: Floor, b: Floor): number {
  return Date.parse(b.time) - Date.parse(a.time);
}
