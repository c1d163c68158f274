import Type, { type Static } from 'typebox';
import { CofferError } from '../../../../core/errors.ts';
import type { OwnMark } from '../../../keys/own-mark.ts';
import { parseAs } from '../parse-as.ts';
import { Rotation } from './rotation.ts';
import type { RotationStore } from './rotation-store.ts';
import { secretKey } from './secret-key.ts';

const text = Type.String();

/** `SOURCE NAMESPACE/NAME ENTRY` → digest of its text, since when it is there, ISO 8601, and of a former value whether a rotation left it. */
const Seen = Type.Record(
  text,
  Type.Union([Type.Tuple([text, text]), Type.Tuple([text, text, Type.Literal('rotated')])]),
);

type Seen = Static<typeof Seen>;

const SEEN = 'seen';

/**
 * What this operator knows of rotations from run to run. In memory after `open`, and durable with each change; what is not marked as its
 * own is left out.
 */
export class RotationMemory {
  /** Of each text when it was seen first. */
  readonly seen: Map<string, Readonly<Seen[string]>>;
  /** How many rotations have ended in this run. */
  ended = 0;
  readonly #store: RotationStore;
  readonly #mark: OwnMark;
  readonly #rotations: Map<string, Rotation>;
  /** `SOURCE NAMESPACE/NAME` → those of one secret. */
  readonly #bySecret: Map<string, Rotation[]>;

  private constructor(store: RotationStore, mark: OwnMark, rotations: Map<string, Rotation>, seen: Seen) {
    this.#store = store;
    this.#mark = mark;
    this.#rotations = rotations;
    this.#bySecret = Map.groupBy(rotations.values(), (rotation) => secretKey(rotation.source, rotation));
    this.seen = new Map(Object.entries(seen));
  }

  /**
   * What cannot be read of when texts were seen begins anew, by the times of commits.
   *
   * @param told of that
   * @throws CofferError ROTATE_VALUES_DAMAGED, FILE_SYSTEM, KUBERNETES_*, what the key store throws
   */
  static async open(store: RotationStore, mark: OwnMark, told: (error: CofferError) => void): Promise<RotationMemory> {
    const rotations = new Map<string, Rotation>();
    let seen: Seen = {};
    for (const [id, marked] of await store.all()) {
      const text = await mark.textOf(markedName(id), marked, store.placeOf(id));
      if (text === undefined) continue;
      const place = store.placeOf(id);
      if (id !== SEEN) rotations.set(id, parseAs(Rotation, text) ?? throwDamaged(place));
      else seen = parseAs(Seen, text) ?? begunAnew(place, told);
    }
    return new RotationMemory(store, mark, rotations, seen);
  }

  get rotations(): readonly Rotation[] {
    return [...this.#rotations.values()];
  }

  get size(): number {
    return this.#rotations.size;
  }

  find(id: string): Rotation | undefined {
    return this.#rotations.get(id);
  }

  /** Those of one secret. */
  of(source: string, secret: { namespace: string; name: string }): readonly Rotation[] {
    return this.#bySecret.get(secretKey(source, secret)) ?? [];
  }

  /** Throws CofferError ROTATE_NO_IDENTITY, FILE_SYSTEM, KUBERNETES_*, what the key store throws. */
  async keep(rotation: Rotation): Promise<void> {
    await this.#write(rotation.id, `${JSON.stringify(rotation)}\n`);
    this.#rotations.set(rotation.id, rotation);
    this.#bySecret.set(secretKey(rotation.source, rotation), [...this.#others(rotation), rotation]);
  }

  async forget(rotation: Rotation): Promise<void> {
    await this.#store.remove(rotation.id);
    this.#rotations.delete(rotation.id);
    this.ended += 1;
    const [key, others] = [secretKey(rotation.source, rotation), this.#others(rotation)];
    if (others.length === 0) this.#bySecret.delete(key);
    else this.#bySecret.set(key, others);
  }

  async keepSeen(): Promise<void> {
    await this.#write(SEEN, `${JSON.stringify(Object.fromEntries(this.seen))}\n`);
  }

  async #write(id: string, text: string): Promise<void> {
    const marked = await this.#mark.mark(markedName(id), text);
    if (marked === undefined) throw noIdentity();
    await this.#store.write(id, marked);
  }

  #others(rotation: Rotation): Rotation[] {
    return this.of(rotation.source, rotation).filter(({ id }) => id !== rotation.id);
  }
}

function markedName(id: string): string {
  return `rotation ${id}`;
}

function noIdentity(): CofferError {
  return new CofferError(
    'ROTATE_NO_IDENTITY',
    'No value is made anew: what is remembered of it, and proposed, bears the mark of this cluster’s identity, which is missing.',
    {
      advice: 'Put the identity into the place of keys, from where it was made or from its backup.',
      loop: 'retry',
    },
  );
}

function throwDamaged(path: string): never {
  throw new CofferError('ROTATE_VALUES_DAMAGED', 'What the operator remembers of a rotation of values is damaged.', {
    advice: `Remove ${path}: the rotation begins anew, with another value.`,
    data: { path },
    loop: 'retry',
  });
}

function begunAnew(path: string, told: (error: CofferError) => void): Seen {
  told(
    new CofferError('ROTATE_VALUES_DAMAGED', 'Since when values are there cannot be read, and is begun anew.', {
      advice: 'Nothing is to be done: what turns over by its age counts from the last commit.',
      data: { path },
    }),
  );
  return {};
}
