import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PackLimits, type TakenPack, takePack } from '../../../core/git/intake/pack-intake.ts';
import { LARGEST_OBJECT } from '../../../core/git/objects/object-store.ts';
import type { Repository } from '../../../core/git/repository.ts';
import type { TimeLimit } from '../time-limit.ts';
import { inTurn } from './one-intake.ts';

/** Git's file that names the commits whose parents are left out. */
export const SHALLOW = 'shallow';

/** But for the bytes, which are what is left of the clone's. A chain of deltas may be as long as git makes it at most. */
export const PACK_LIMITS: Omit<PackLimits, 'bytes'> = {
  objects: 2 ** 20,
  objectBytes: LARGEST_OBJECT,
  inflatedBytes: 16 * 2 ** 30,
  depth: 4095,
};

export interface QuarantineParts {
  directory: string;
  /** Sees the clone's objects as well. */
  repository: Repository;
  haveRef: string;
  /** Nothing was accepted yet. */
  isFirst: boolean;
  /** Where the clone's history was cut off before. */
  shallow: ReadonlySet<string>;
  limits: PackLimits;
  /** Of the fetch. */
  time?: TimeLimit;
}

/** Where a fetch puts its objects. Reads see the clone's objects as well. */
export class Quarantine {
  readonly directory: string;
  readonly repository: Repository;
  /** The ref of the commit that is there already, if there is one. */
  readonly haveRef: string;
  isAdopted = false;
  readonly #isFirst: boolean;
  readonly #shallow: ReadonlySet<string>;
  readonly #limits: PackLimits;
  readonly #time: TimeLimit | undefined;
  /** How much of the history was known before this fetch. */
  readonly #known: number;

  constructor(parts: QuarantineParts) {
    this.directory = parts.directory;
    this.repository = parts.repository;
    this.haveRef = parts.haveRef;
    this.#isFirst = parts.isFirst;
    this.#shallow = parts.shallow;
    this.#limits = parts.limits;
    this.#time = parts.time;
    this.#known = parts.repository.graph.size;
  }

  /** Takes a pack as it comes. `undefined`: it was empty. Throws as core/git/intake/pack-intake.ts says, and nothing is left of it then. */
  async takePack(stream: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<TakenPack | undefined> {
    const patience = {
      ...(signal === undefined ? {} : { signal }),
      ...(this.#time === undefined ? {} : { limit: this.#time }),
    };
    const taken = await takePack(stream, join(this.directory, 'objects', 'pack'), {
      limits: this.#limits,
      bases: this.repository.objects,
      heavy: (work) => inTurn(work, patience),
      ...(signal === undefined ? {} : { signal }),
    });
    if (taken !== undefined) this.repository.objects.refresh();
    return taken;
  }

  /** Marks a commit whose parents are left out on purpose. */
  async writeShallow(commit: string): Promise<void> {
    await writeFile(join(this.directory, SHALLOW), `${commit}\n`);
  }

  /**
   * Looks at what came in. False where the server cut off history that it was not asked to leave out: only the first commit that
   * is taken may be without its parents, for whatever came before it was never to be judged.
   */
  isIntact(commit: string): boolean {
    this.repository.objects.refresh();
    const isExpected = (cut: string): boolean => this.#shallow.has(cut) || (this.#isFirst && cut === commit);
    return [...this.repository.shallow()].every(isExpected);
  }

  async discard(): Promise<void> {
    this.repository.close();
    if (!this.isAdopted) this.repository.graph.truncate(this.#known);
    await rm(this.directory, { recursive: true, force: true });
  }
}
