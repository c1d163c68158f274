import { Bug } from '../../../../core/errors.ts';
import type { Manifest } from '../../../../core/format/manifest/manifest.ts';
import { previousOf } from '../../../../core/format/manifest/rotation.ts';
import type { Pins } from '../../../../core/keys/pins.ts';
import { ownRecipients } from '../../../source/repository-settings.ts';
import type { Rotators } from '../../rotators/configured.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { RotationMemory } from '../remembered/rotation-memory.ts';
import type { Placed, RotatingManifests } from '../rotating-manifests.ts';
import { isExplained } from './explained.ts';
import { isSealedToAll, type Making } from './making.ts';
import type { RotationValues, Standing } from './rotation-values.ts';
import type { StepRecords } from './step-records.ts';
import type { WatchedTime } from './watched-time.ts';

/** Milliseconds for which a rotator's former value works on where the manifest does not say. */
const DEFAULT_OVERLAP = 3_600_000;
/** Of an overlap, what a crash may make it begin again with. */
const SAVED_EVERY = 30_000;

export interface AdvanceOptions {
  cluster: string;
  memory: RotationMemory;
  rotators: Rotators;
  values: RotationValues;
  making: Making;
  steps: StepRecords;
  watched: WatchedTime;
  /** The manifest whose values this cluster has projected; undefined: it has projected none. */
  projected: (namespace: string, name: string) => Promise<Manifest | undefined>;
}

/** Where a rotation stands after a look. */
export type Progress =
  | { is: 'moved' }
  /** `isForState`: for another accepted state, other keys or other pins, and for nothing else. */
  | { is: 'waits'; again?: number; isForState?: true }
  | { is: 'over' };

const MOVED: Progress = { is: 'moved' };
const WAITS: Progress = { is: 'waits' };
const WAITS_FOR_STATE: Progress = { is: 'waits', isForState: true };
const OVER: Progress = { is: 'over' };

/**
 * Takes one rotation one step further: made → verified → landed → projected → retired → over. What a step does may be done again;
 * it is done, then it is in the log, then it is remembered: killed in between, it is done again.
 */
export class Advance {
  readonly #options: AdvanceOptions;

  constructor(options: AdvanceOptions) {
    this.#options = options;
  }

  /** Throws CofferError: tried again later. */
  async next(rotation: Rotation, site: RotatingManifests, pins: Pins, signal: AbortSignal): Promise<Progress> {
    const { namespace, name } = rotation;
    const [row, another] = site.named(namespace, name);
    const placed = row === undefined ? undefined : await site.read(row);
    if (placed === undefined) return this.#end(rotation, 'abandoned', site);
    // Whose it is is not for us to say.
    if (another !== undefined) return WAITS_FOR_STATE;
    const entries = this.#rotatorEntries(rotation, placed.manifest);
    const standing = await this.#options.values.standing(rotation, placed.manifest, site, entries);
    switch (rotation.step) {
      case 'made':
      case 'verified':
        if (standing === 'ours') return this.#move(rotation, 'landed', site);
        if (standing === 'other') return this.#end(rotation, 'superseded', site);
        return this.#beforeLanding(rotation, placed, entries, site, pins, signal);
      case 'landed':
      case 'projected':
        if (standing !== 'ours') return this.#end(rotation, 'superseded', site);
        return rotation.step === 'landed'
          ? this.#untilProjected(rotation, placed, entries, site)
          : this.#untilRetired(rotation, placed, entries, site, signal);
      case 'retired': {
        const isKept = entries?.some((entry) => placed.manifest.entries.has(previousOf(entry))) === true;
        return isKept && standing === 'ours' ? WAITS_FOR_STATE : this.#end(rotation, 'done', site);
      }
    }
  }

  async #beforeLanding(
    rotation: Rotation,
    placed: Placed,
    entries: readonly string[] | undefined,
    site: RotatingManifests,
    pins: Pins,
    signal: AbortSignal,
  ): Promise<Progress> {
    const { values, making, memory, rotators } = this.#options;
    // Its rule is another by now.
    if (!isExplained(rotation, placed.manifest, rotators)) return this.#end(rotation, 'superseded', site);
    if (!isSealedToAll(rotation, placed.manifest, site, pins)) {
      // A value that nobody needs to keep is made anew, for those who are recipients now.
      if (entries === undefined) return this.#end(rotation, 'superseded', site);
      const resealed = await values.withChange(rotation, entries, site, ({ next }) =>
        making.reseal(rotation, placed, next, site, pins),
      );
      await memory.keep(resealed);
      return MOVED;
    }
    if (rotation.step === 'verified' || entries === undefined || rotation.rotator === undefined) return WAITS_FOR_STATE;
    // What is projected here may be older than what is accepted, and then use what is to be changed.
    if ((await this.#standingHere(rotation, entries, site)) !== 'former') return WAITS;
    const rotator = rotators.of(rotation.rotator, placed.manifest);
    await values.withChange(rotation, entries, site, async (change) => {
      await rotator.install(change, signal);
      await rotator.verify(change, signal);
    });
    return this.#move(rotation, 'verified', site);
  }

  async #untilProjected(
    rotation: Rotation,
    { manifest }: Placed,
    entries: readonly string[] | undefined,
    site: RotatingManifests,
  ): Promise<Progress> {
    // Where this cluster is no recipient, what others project is theirs to see.
    if (this.#isForUs(manifest, site) && (await this.#standingHere(rotation, entries, site)) !== 'ours') return WAITS;
    this.#options.watched.elapsed(rotation.id);
    return this.#move(rotation, 'projected', site);
  }

  async #untilRetired(
    rotation: Rotation,
    { manifest }: Placed,
    entries: readonly string[] | undefined,
    site: RotatingManifests,
    signal: AbortSignal,
  ): Promise<Progress> {
    if (entries === undefined || rotation.rotator === undefined) return this.#end(rotation, 'done', site);
    const { values, memory, rotators, watched } = this.#options;
    const [entry = ''] = rotation.entries;
    const overlap = manifest.rotation.get(entry)?.keepPrevious ?? DEFAULT_OVERLAP;
    const { waited: before } = rotation;
    const waited = before + watched.elapsed(rotation.id);
    const isSaved = Math.floor(waited / SAVED_EVERY) === Math.floor(before / SAVED_EVERY);
    rotation.waited = waited;
    if (!isSaved) {
      await memory.keep(rotation).catch((error: unknown) => {
        // What could not be kept is tried again before anything is ended.
        rotation.waited = before;
        throw error;
      });
    }
    if (waited < overlap) return { is: 'waits', again: overlap - waited };
    const rotator = rotators.of(rotation.rotator, manifest);
    const { isExposed } = rotation;
    const { remains } = await values.withChange(rotation, entries, site, (change) =>
      rotator.retire(change, { isExposed }, signal),
    );
    return this.#move(rotation, 'retired', site, remains === undefined ? {} : { message: remains });
  }

  #isForUs({ recipients }: Manifest, { keyring }: RotatingManifests): boolean {
    const own = ownRecipients(keyring, this.#options.cluster);
    return recipients.some((recipient) => own.has(recipient));
  }

  /** Undefined: nothing is projected. */
  async #standingHere(
    rotation: Rotation,
    entries: readonly string[] | undefined,
    site: RotatingManifests,
  ): Promise<Standing | undefined> {
    const { values, projected } = this.#options;
    const here = await projected(rotation.namespace, rotation.name);
    return here && values.standing(rotation, here, site, entries);
  }

  #rotatorEntries({ rotator, entries }: Rotation, manifest: Manifest): readonly string[] | undefined {
    if (rotator === undefined) return undefined;
    const [entry] = entries;
    if (entry === undefined) throw new Bug('a rotation of nothing');
    return this.#options.rotators.of(rotator, manifest).entriesOf(entry);
  }

  async #move(
    rotation: Rotation,
    step: Rotation['step'],
    site: RotatingManifests,
    more: { message?: string } = {},
  ): Promise<Progress> {
    const { memory, steps } = this.#options;
    await steps.done(rotation, step, site, more);
    await memory.keep({ ...rotation, step });
    return MOVED;
  }

  async #end(
    rotation: Rotation,
    step: 'done' | 'superseded' | 'abandoned',
    site: RotatingManifests,
  ): Promise<Progress> {
    const { memory, steps, watched } = this.#options;
    await steps.done(rotation, step, site);
    await memory.forget(rotation);
    watched.forget(rotation.id);
    return OVER;
  }
}
