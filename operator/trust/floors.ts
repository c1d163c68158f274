import { join } from 'node:path';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { readIfThere } from '../../core/files/read-if-there.ts';
import { fromSystemError } from '../../core/files/system-error.ts';
import type { Repository } from '../../core/git/repository.ts';
import { SerialQueue } from '../../core/serial-queue.ts';
import type { Outstanding } from '../../core/trust/verdict.ts';
import { COMMIT } from './named-commits.ts';

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
  basis: string;
  outstanding: readonly Outstanding[];
  /** Of paths that are held back, what stands in their place: blobs of the history; `null`: nothing. */
  held: Record<string, { mode: string; oid: string } | null>;
  /** When it was accepted, RFC 3339 in UTC: for people. */
  time: string;
  /** As in `Remembered`. */
  generation: number;
}

/** A place where floors are kept, by source. */
export interface FloorStore {
  read(): Promise<Floor[]>;
  /** Replaces that of the same source, unless that is of a later generation. Returns the one that is there then. */
  write(floor: Floor): Promise<Floor>;
}

const FILE = 'accepted.json';

/** Bytes that all sources may have remembered of what is held back: with the rest it fits a ConfigMap, which takes 1 MiB. */
const ROOM = 768 * 1024;
/** Of those, for one source. */
const MOST_ROOM = 64 * 1024;

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

  async write(floor: Floor): Promise<Floor> {
    const others = (await this.read()).filter(({ source }) => source !== floor.source);
    await writeFileAtomically(this.#file, `${JSON.stringify([...others, floor], null, 2)}\n`, { mode: 0o600 });
    return floor;
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

/** Beyond this, counting on would no longer be exact. */
const LAST_GENERATION = 2 ** 48;

export function isFloor(value: unknown): value is Floor {
  const { source, address, follows, path, commit, basis, outstanding, held, time, generation } = (value ??
    {}) as Partial<Floor>;
  const isText = [source, address, follows, path, basis, time].every((part) => typeof part === 'string');
  const isCounted = Number.isInteger(generation) && (generation ?? -1) >= 0 && (generation ?? -1) < LAST_GENERATION;
  const isHeld = typeof held === 'object' && held !== null;
  return (
    isText && typeof commit === 'string' && COMMIT.test(commit) && Array.isArray(outstanding) && isHeld && isCounted
  );
}

/**
 * What each place says that was accepted last. Generations order it and never clocks, which differ between replicas and go back:
 * each accepted state counts one up from the highest that was known.
 */
export class Floors {
  /** The last one is believed where two say differently of the same generation: that of the cluster. */
  readonly #stores: readonly FloorStore[];
  /** By store, by source. */
  readonly #known = new Map<FloorStore, Map<string, Floor>>();
  /** What is to be written, by source; each store gets it as soon as it can. */
  readonly #wanted = new Map<string, Floor>();
  readonly #turns = new SerialQueue();
  readonly #room: number;
  /** Why a store could not be written; the next look tries again. */
  trouble: CofferError | undefined;

  private constructor(stores: readonly FloorStore[], sources: number) {
    this.#stores = stores;
    this.#room = Math.min(MOST_ROOM, Math.floor(ROOM / sources));
  }

  /** `sources`: how many share the stores. Throws what keeps it from reading. */
  static async open(stores: readonly FloorStore[], sources = 1): Promise<Floors> {
    const floors = new Floors(stores, sources);
    for (const store of stores) {
      floors.#known.set(store, new Map((await store.read()).map((floor) => [floor.source, floor])));
    }
    return floors;
  }

  /** The newest of a source: another replica may know more than this state directory. */
  of(source: string): Floor | undefined {
    const each = this.#stores.flatMap((store) => this.#known.get(store)?.get(source) ?? []);
    return each.reduce<Floor | undefined>(newest, undefined);
  }

  /** Of other sources that followed the same: another folder of it was configured. */
  besides({ source, address, follows }: Pick<Floor, 'source' | 'address' | 'follows'>): Floor[] {
    const all = [...this.#known.values()].flatMap((floors) => [...floors.keys()]);
    const others = [...new Set(all)].filter((other) => other !== source);
    return others
      .flatMap((other) => this.of(other) ?? [])
      .filter((floor) => floor.address === address && floor.follows === follows);
  }

  /** Whether so much can be remembered of a source. Who may push must not keep the others' floors from being written. */
  hasRoom(outstanding: Floor['outstanding'], held: Iterable<[path: string, stands: object | undefined]>): boolean {
    return Buffer.byteLength(JSON.stringify([outstanding, [...held]])) <= this.#room;
  }

  /** Whether every store has it. */
  isKept({ source, commit, generation }: Pick<Floor, 'source' | 'commit' | 'generation'>): boolean {
    return this.#stores.every((store) => {
      const known = this.#known.get(store)?.get(source);
      return known?.commit === commit && known.generation === generation;
    });
  }

  /** Has every store have it that has not. One that cannot be written is tried again by the next call. */
  async keep(floor: Floor): Promise<void> {
    this.#wanted.set(floor.source, floor);
    await this.settle();
  }

  async settle(): Promise<void> {
    await this.#turns.take(async () => {
      let trouble: CofferError | undefined;
      for (const store of this.#stores) {
        for (const source of [...this.#wanted.keys()]) trouble = (await this.#write(store, source)) ?? trouble;
      }
      this.trouble = trouble;
    });
  }

  /** Takes what is wanted at this moment: it may be newer than when somebody asked for it. */
  async #write(store: FloorStore, source: string): Promise<CofferError | undefined> {
    const floor = this.#wanted.get(source);
    const known = this.#known.get(store)?.get(source);
    if (floor === undefined || (known?.commit === floor.commit && known.generation === floor.generation))
      return undefined;
    try {
      this.#known.get(store)?.set(source, await store.write(floor));
      return undefined;
    } catch (error) {
      if (error instanceof CofferError) return error;
      const fault = fromSystemError(error);
      if (fault === undefined) throw error;
      return fault;
    }
  }
}

function newest(one: Floor | undefined, other: Floor): Floor {
  return one === undefined || other.generation >= one.generation ? other : one;
}

/** As `Floor.held`: what stands in a tree at the paths that are held back. */
export async function standsFor(
  repository: Repository,
  tree: string,
  held: readonly { path: string }[],
): Promise<Floor['held']> {
  const stands: Floor['held'] = Object.create(null);
  for (const { path } of held) {
    const entry = await repository.entryAt(tree, path);
    stands[path] = entry === undefined ? null : { mode: entry.mode, oid: entry.oid };
  }
  return stands;
}
