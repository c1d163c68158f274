import { Bug } from '../../../../core/errors.ts';
import type { Manifest } from '../../../../core/format/manifest/manifest.ts';
import { previousOf } from '../../../../core/format/manifest/rotation.ts';
import type { Pins } from '../../../../core/keys/pins.ts';
import { ownRecipients } from '../../../source/repository-settings.ts';
import type { Rotators } from '../../rotators/configured.ts';
import { type Change, isRefusal, type Rotator } from '../../rotators/rotator.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { RotationMemory } from '../remembered/rotation-memory.ts';
import type { Placed, RotatingManifests } from '../rotating-manifests.ts';
import { isExplained } from './explained.ts';
import { isSealedToAll, type Making } from './making.ts';
import type { RotationValues } from './rotation-values.ts';
import type { Standing } from './standings.ts';
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
  /** Ids of rotations whose values this run has seen working. */
  proven: Set<string>;
  /** The manifest whose values this cluster has projected; undefined: it has projected none. */
  projected: (namespace: string, name: string) => Promise<Manifest | undefined>;
}

/** Where a rotation stands after a look. */
export type Progress =
  | { is: 'moved' }
  /** `isForState`: for another accepted state, other keys or other pins, and for nothing else. */
  | { is: 'waits'; again?: number; isForState?: true }
  /** For its turn with the rotator, which may take long. */
  | { is: 'asks'; ask: (signal: AbortSignal) => Promise<void> }
  | { is: 'over' };

const MOVED: Progress = { is: 'moved' };
const WAITS: Progress = { is: 'waits' };
const WAITS_FOR_STATE: Progress = { is: 'waits', isForState: true };
const OVER: Progress = { is: 'over' };

/** A rotation, and what a step of it goes by. */
interface Step {
  rotation: Rotation;
  site: RotatingManifests;
  pins: Pins;
  /** The manifest as it is accepted now. */
  placed: Placed;
  /** How that stands to the rotation. */
  standing: Standing;
  /** What changes the values where they are used, and those entries; undefined: nothing does. */
  use: Use | undefined;
}

interface Use {
  rotator: Rotator;
  entries: readonly string[];
}

/**
 * Takes one rotation one step further: made → verified → landed → projected → retired → over. What a step does may be done again;
 * it is done, then it is in the log, then it is remembered: killed in between, it is done again. Nothing here talks to a rotator; what
 * would is given back to be asked.
 */
export class Advance {
  readonly #options: AdvanceOptions;

  constructor(options: AdvanceOptions) {
    this.#options = options;
  }

  /** Throws CofferError: tried again later. */
  async next(rotation: Rotation, site: RotatingManifests, pins: Pins): Promise<Progress> {
    const { namespace, name } = rotation;
    const [row, another] = site.named(namespace, name);
    const placed = row === undefined ? undefined : await site.read(row);
    if (placed === undefined) return this.#end(rotation, 'abandoned', site);
    // Whose it is is not for us to say.
    if (another !== undefined) return WAITS_FOR_STATE;
    const use = this.#useOf(rotation, placed.manifest);
    const standing = await this.#options.values.standing(rotation, placed.manifest, site, use?.entries);
    const step = { rotation, site, pins, placed, standing, use };
    switch (rotation.step) {
      case 'made':
        return (await this.#beforeLanding(step)) ?? (await this.#install(step));
      case 'verified':
        return (await this.#beforeLanding(step)) ?? this.#offer(step);
      case 'landed':
        return standing === 'ours' ? this.#project(step) : this.#end(rotation, 'superseded', site);
      case 'projected':
        return standing === 'ours' ? this.#retire(step) : this.#end(rotation, 'superseded', site);
      case 'retired':
        return this.#clear(step);
    }
  }

  /** Undefined: its values are as they are to be, and not in git yet. */
  async #beforeLanding(step: Step): Promise<Progress | undefined> {
    const { rotation, site, pins, placed, standing, use } = step;
    if (standing === 'ours') return this.#land(step);
    // A person has set another value, or its rule is another by now.
    const isExplainedNow = standing === 'former' && isExplained(rotation, placed.manifest, this.#options.rotators);
    if (!isExplainedNow) return this.#end(rotation, 'superseded', site);
    if (isSealedToAll(rotation, placed.manifest, site, pins)) return undefined;
    // A value that nobody needs to keep is made anew, for those who are recipients now.
    return use === undefined ? this.#end(rotation, 'superseded', site) : this.#reseal(step, use);
  }

  async #reseal({ rotation, site, pins, placed }: Step, { entries }: Use): Promise<Progress> {
    const { values, making, memory } = this.#options;
    const resealed = await values.withChange(rotation, entries, site, ({ next }) =>
      making.reseal(rotation, placed, next, site, pins),
    );
    await memory.keep(resealed);
    return MOVED;
  }

  /** made → verified */
  async #install(step: Step): Promise<Progress> {
    if (step.use === undefined) return WAITS_FOR_STATE;
    // What is projected here may be older than what is accepted, and then use what is to be changed.
    if ((await this.#standingHere(step)) !== 'former') return WAITS;
    return this.#asks(step, step.use, async (change, rotator, signal) => {
      await rotator.install(change, signal);
      await rotator.verify(change, signal);
      await this.#move(step, 'verified');
    });
  }

  /** What another run has verified may have been undone since, by an operator that did not know yet that it leads no more. */
  #offer(step: Step): Progress {
    if (step.use === undefined || this.#isProven(step)) return WAITS_FOR_STATE;
    return this.#prove(step, step.use);
  }

  /** made, verified → landed */
  async #land(step: Step): Promise<Progress> {
    if (step.use !== undefined && !this.#isProven(step)) return this.#prove(step, step.use);
    return this.#move(step, 'landed');
  }

  #prove(step: Step, use: Use): Progress {
    return this.#asks(step, use, async (change, rotator, signal) => {
      try {
        await rotator.verify(change, signal);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await rotator.install(change, signal);
        await rotator.verify(change, signal);
        await this.#options.steps.done(step.rotation, 'verified', step.site);
      }
    });
  }

  /** landed → projected */
  async #project(step: Step): Promise<Progress> {
    // Where this cluster is no recipient, what others project is theirs to see.
    if (this.#isForUs(step) && (await this.#standingHere(step)) !== 'ours') return WAITS;
    this.#options.watched.restart(step.rotation.id);
    return this.#move(step, 'projected');
  }

  /** projected → retired */
  async #retire(step: Step): Promise<Progress> {
    const { rotation, placed, site, use } = step;
    if (use === undefined) return this.#end(rotation, 'done', site);
    const [entry = ''] = rotation.entries;
    const overlap = placed.manifest.rotation.get(entry)?.keepPrevious ?? DEFAULT_OVERLAP;
    const waited = await this.#waited(rotation);
    if (waited < overlap) return { is: 'waits', again: overlap - waited };
    const { isExposed } = rotation;
    return this.#asks(step, use, async (change, rotator, signal) => {
      const { remains } = await rotator.retire(change, { isExposed }, signal);
      await this.#move(step, 'retired', remains === undefined ? {} : { message: remains });
    });
  }

  /** retired → over: when the former values are out of git. */
  #clear({ rotation, site, placed, standing, use }: Step): Progress | Promise<Progress> {
    const isKept = use?.entries.some((entry) => placed.manifest.entries.has(previousOf(entry))) === true;
    return isKept && standing === 'ours' ? WAITS_FOR_STATE : this.#end(rotation, 'done', site);
  }

  #asks(
    { rotation, site }: Step,
    { rotator, entries }: Use,
    work: (change: Change, rotator: Rotator, signal: AbortSignal) => Promise<void>,
  ): Progress {
    const { values, proven } = this.#options;
    return {
      is: 'asks',
      ask: async (signal) => {
        await values.withChange(rotation, entries, site, (change) => work(change, rotator, signal));
        proven.add(rotation.id);
      },
    };
  }

  #isProven({ rotation }: Step): boolean {
    return this.#options.proven.has(rotation.id);
  }

  /** Milliseconds of the overlap. */
  async #waited(rotation: Rotation): Promise<number> {
    const { watched, memory } = this.#options;
    const waited = rotation.waited + watched.of(rotation.id);
    if (Math.floor(waited / SAVED_EVERY) === Math.floor(rotation.waited / SAVED_EVERY)) return waited;
    await memory.keep({ ...rotation, waited });
    watched.restart(rotation.id);
    return waited;
  }

  #isForUs({ placed, site }: Step): boolean {
    const own = ownRecipients(site.keyring, this.#options.cluster);
    return placed.manifest.recipients.some((recipient) => own.has(recipient));
  }

  /** Undefined: nothing is projected. */
  async #standingHere({ rotation, site, use }: Step): Promise<Standing | undefined> {
    const { values, projected } = this.#options;
    const here = await projected(rotation.namespace, rotation.name);
    return here && values.standing(rotation, here, site, use?.entries);
  }

  #useOf({ rotator: wanted, entries }: Rotation, manifest: Manifest): Use | undefined {
    if (wanted === undefined) return undefined;
    const [entry] = entries;
    if (entry === undefined) throw new Bug('a rotation of nothing');
    const rotator = this.#options.rotators.of(wanted, manifest);
    return { rotator, entries: rotator.entriesOf(entry) };
  }

  async #move({ rotation, site }: Step, step: Rotation['step'], more: { message?: string } = {}): Promise<Progress> {
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
    const { memory, steps, values, watched, proven } = this.#options;
    await steps.done(rotation, step, site);
    await memory.forget(rotation);
    watched.forget(rotation.id);
    values.forget(rotation.id);
    proven.delete(rotation.id);
    return OVER;
  }
}
