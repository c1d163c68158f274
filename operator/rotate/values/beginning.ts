import type { AuditRecord } from '../../../core/audit/record.ts';
import { previousOf } from '../../../core/format/manifest/rotation.ts';
import type { Pins } from '../../../core/keys/pins.ts';
import type { Rotators } from '../rotators/configured.ts';
import type { DueEntries, Wanted } from './due/due-entries.ts';
import type { FirstSeen } from './due/first-seen.ts';
import type { Pace } from './due/pace.ts';
import type { Rotation } from './remembered/rotation.ts';
import type { RotationMemory } from './remembered/rotation-memory.ts';
import { secretKey } from './remembered/secret-key.ts';
import type { RotatingManifest, RotatingManifests } from './rotating-manifests.ts';
import type { Making } from './steps/making.ts';
import type { Patience } from './steps/patience.ts';
import { recoveredRotation } from './steps/recovered-rotation.ts';
import type { StepRecords } from './steps/step-records.ts';
import { told } from './steps/underway.ts';

/** A manifest whose values this operator makes, and what of it is due. */
export interface DueManifest {
  site: RotatingManifests;
  row: RotatingManifest;
  due: DueEntries;
}

export interface BeginningParts {
  memory: RotationMemory;
  seen: FirstSeen;
  steps: StepRecords;
  patience: Patience;
  pace: Pace;
  rotators: Rotators;
}

/** Begins rotations: those that a manifest tells of and nobody remembers, and those that are due. */
export class Beginning {
  readonly #parts: BeginningParts;
  readonly #making: Making;
  readonly #pins: Pins;
  readonly #tried: Set<string>;

  /** `tried`: gets the ids that `patience` is to know after this look. */
  constructor(parts: BeginningParts, { making, pins }: { making: Making; pins: Pins }, tried: Set<string>) {
    this.#parts = parts;
    this.#making = making;
    this.#pins = pins;
    this.#tried = tried;
  }

  /** Remembers again what its rotator has not retired. */
  async recover(site: RotatingManifests, row: RotatingManifest): Promise<void> {
    const { memory, seen, rotators, steps } = this.#parts;
    if (memory.of(site.source.id, row).length > 0 || !hasFormer(row)) return;
    await this.#try(`recover ${idOf({ site, row })}`, { site, row }, async () => {
      const placed = await site.read(row);
      const recovered = placed && recoveredRotation(placed, site.source.id, rotators);
      if (recovered === undefined) return;
      const { rotation, former } = recovered;
      await steps.done(rotation, 'recovered', site);
      seen.noteRotated(site.source.id, row, former);
      await seen.save();
      await memory.keep(rotation);
    });
  }

  /**
   * What may begin now, in this order: what is urgent; what has waited longest for its turn, so that those that cannot begin, however
   * many somebody writes, keep no other from it; what waits for no rotator.
   */
  chosen(manifests: readonly DueManifest[]): DueManifest[] {
    const { pace, patience } = this.#parts;
    const wanting = manifests.flatMap((manifest) => {
      const { site, row, due } = manifest;
      const isNone = due.next === undefined || this.#isUnderway(site, row);
      return isNone ? [] : [{ manifest, id: idOf(manifest), ...due.next }];
    });
    pace.forgetAllBut(new Set(wanting.map(({ id }) => id)));
    // What failed stays known while it is held back, and in the status.
    for (const { id } of wanting) if (patience.isFailing(id)) this.#tried.add(id);
    return wanting
      .filter(({ id }) => !patience.isWaiting(id))
      .sort(
        (one, other) =>
          Number(other.isUrgent) - Number(one.isUrgent) ||
          pace.lastTurn(one.id) - pace.lastTurn(other.id) ||
          Number(one.rotator !== undefined) - Number(other.rotator !== undefined),
      )
      .filter(({ id, isUrgent }) => isUrgent === true || pace.take(id))
      .map(({ manifest }) => manifest);
  }

  /** Undefined: it cannot begin, or not yet. Throws what `Patience.try` throws. */
  async begin({ site, row, due: { next } }: DueManifest): Promise<Rotation | undefined> {
    if (next === undefined) return undefined;
    const id = idOf({ site, row });
    const rotation = await this.#try(id, { site, row }, () => this.#make(site, row, next));
    if (rotation === undefined) this.#parts.pace.giveBack(id);
    return rotation;
  }

  /** Whether the manifest is to be left alone until something of it has ended. */
  #isUnderway({ source }: RotatingManifests, row: RotatingManifest): boolean {
    return this.#parts.memory.of(source.id, row).some(({ step }) => step !== 'retired');
  }

  async #make(site: RotatingManifests, row: RotatingManifest, wanted: Wanted): Promise<Rotation | undefined> {
    const { memory, steps } = this.#parts;
    const placed = await site.read(row);
    if (placed === undefined || site.named(row.namespace, row.name).length > 1) return undefined;
    const rotation = await this.#making.begin(placed, wanted, site, this.#pins);
    // What is left of the one before is a former value that this one replaces.
    for (const before of memory.of(site.source.id, row)) {
      await steps.done(before, 'done', site);
      await memory.forget(before);
    }
    await steps.done(rotation, 'made', site, reasonOf(wanted));
    await memory.keep(rotation);
    return rotation;
  }

  async #try<Result>(
    id: string,
    { site, row }: Omit<DueManifest, 'due'>,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> {
    this.#tried.add(id);
    return this.#parts.patience.try(id, () => told(row, site, work));
  }
}

/** Of a rotator: nobody has retired it for sure. */
function hasFormer({ rotation, entries }: RotatingManifest): boolean {
  return [...rotation].some(([entry, { rotator }]) => rotator !== undefined && entries.has(previousOf(entry)));
}

function idOf({ site, row }: Omit<DueManifest, 'due'>): string {
  return secretKey(site.source.id, row);
}

function reasonOf({ isExposed, asker }: Wanted): Pick<AuditRecord<'rotation.step'>, 'reason' | 'actor'> {
  if (asker !== undefined) return { reason: 'asked', actor: asker };
  return isExposed ? { reason: 'exposed' } : {};
}
