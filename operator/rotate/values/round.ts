import type { AuditRecord } from '../../../core/audit/record.ts';
import type { RepositoryConfig } from '../../../core/config/repository.ts';
import { CofferError } from '../../../core/errors.ts';
import { readIfThere } from '../../../core/files/read-if-there.ts';
import { previousOf } from '../../../core/format/manifest/rotation.ts';
import { Turns } from '../../../core/turns.ts';
import type { Pins } from '../../../core/keys/pins.ts';
import { readOperatorPins } from '../../keys/operator-pins.ts';
import type { Rotators } from '../rotators/configured.ts';
import type { Delivery, Parcel } from './delivery.ts';
import { type AskedValue, askedValues, spend } from './due/asked-values.ts';
import { type DueEntries, dueEntries, type Wanted } from './due/due-entries.ts';
import type { FirstSeen } from './due/first-seen.ts';
import type { Pace } from './due/pace.ts';
import type { ProposedChanges } from './proposed-changes.ts';
import type { Rotation } from './remembered/rotation.ts';
import type { RotationMemory } from './remembered/rotation-memory.ts';
import type { RotatingManifest, RotatingManifests } from './rotating-manifests.ts';
import type { Advance } from './steps/advance.ts';
import type { Making } from './steps/making.ts';
import type { Patience } from './steps/patience.ts';
import { recoveredRotation } from './steps/recovered-rotation.ts';
import type { StepRecords } from './steps/step-records.ts';
import type { Waiting } from './steps/waiting.ts';

export interface RoundParts {
  cluster: string;
  stateDirectory: string;
  pinsFile: string;
  sites: readonly RotatingManifests[];
  memory: RotationMemory;
  seen: FirstSeen;
  making: Making;
  advance: Advance;
  rotators: Rotators;
  steps: StepRecords;
  proposed: ProposedChanges;
  delivery: Delivery;
  pace: Pace;
  patience: Patience;
  waiting: Waiting;
  exposed: (namespace: string, name: string, entry: string, text: string) => boolean;
  now: () => Date;
}

const NOT_LANDED = ['made', 'verified'];

/** What a look found. */
export interface RoundResult {
  troubles: CofferError[];
  due: number;
  /** Rotations that ended. */
  done: number;
  /** Milliseconds until the next step of something. */
  again: number;
}

/** Looks at everything once: what is under way goes on, what is due begins, and what is made is handed to git. */
export class Round {
  readonly #parts: RoundParts;
  readonly #signal: AbortSignal;
  readonly #turns: Turns;
  readonly #result: RoundResult = { troubles: [], due: 0, done: 0, again: Number.POSITIVE_INFINITY };
  #asked: readonly AskedValue[] = [];
  #pinsText = '';
  /** What was tried in this look. */
  readonly #tried = new Set<string>();

  constructor(parts: RoundParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
    this.#turns = new Turns(signal);
  }

  /** Throws CofferError AUDIT_*, FILE_SYSTEM, PINS_*, KUBERNETES_*; the signal's reason. */
  async run(): Promise<RoundResult> {
    const { sites, seen, memory, patience, pinsFile, stateDirectory, delivery, now } = this.#parts;
    // Read before: where it changes in between, it counts as changed at the next look.
    this.#pinsText = await readIfThere(pinsFile);
    const pins = await readOperatorPins(pinsFile);
    this.#asked = await askedValues(stateDirectory, now());
    let isOther = false;
    for (const site of sites) {
      const isNeeded = ({ rotatingCluster }: RepositoryConfig) =>
        rotatingCluster === this.#parts.cluster || memory.rotations.some(({ source }) => source === site.source.id);
      const isNew = await this.#try(`source ${site.source.id}`, () => site.look(isNeeded, this.#signal));
      isOther ||= isNew === true;
    }
    const known = sites.filter(({ state }) => state !== undefined);
    await this.#note(known, isOther);
    await seen.save();
    for (const rotation of memory.rotations) {
      await this.#turns.next();
      const site = known.find(({ source }) => source.id === rotation.source);
      if (site !== undefined) await this.#advance(rotation, site, pins);
    }
    for (const site of known) await this.#begin(site, pins);
    await this.#spendWords(known);
    const parcels = await Promise.all(known.map((site) => this.#parcel(site)));
    const troubles = await delivery.deliver(parcels, this.#signal);
    patience.forgetAllBut(this.#tried);
    this.#result.troubles.push(...patience.troubles, ...troubles);
    this.#result.again = Math.min(this.#result.again, patience.again);
    return this.#result;
  }

  async #note(sites: readonly RotatingManifests[], isOther: boolean): Promise<void> {
    const { seen, now } = this.#parts;
    for (const site of sites) {
      const committed = new Date((site.state?.time ?? 0) * 1000);
      for (const row of site.all()) {
        seen.note(site.source.id, row, { committed, now: now() });
        await this.#turns.next();
      }
    }
    // What a source has that cannot be read now is not gone.
    if (!isOther || sites.length < this.#parts.sites.length) return;
    seen.keepOnly(sites.flatMap((site) => Array.from(site.all(), (row) => [site.source.id, row] as const)));
  }

  async #advance(rotation: Rotation, site: RotatingManifests, pins: Pins): Promise<void> {
    const { advance, memory, steps, waiting } = this.#parts;
    if (waiting.has(rotation, site, this.#pinsText)) return;
    let current: Rotation | undefined = rotation;
    while (current !== undefined) {
      this.#signal.throwIfAborted();
      const now: Rotation = current;
      const progress = await this.#try(
        `rotation ${now.id}`,
        () => told(now, site, () => advance.next(now, site, pins, this.#signal)),
        (error) => steps.failed(now, site, error),
      );
      if (progress?.is === 'over') this.#result.done += 1;
      if (progress?.is === 'waits')
        this.#result.again = Math.min(this.#result.again, progress.again ?? this.#result.again);
      if (progress?.is === 'waits' && progress.isForState === true) waiting.note(now, site, this.#pinsText);
      current = progress?.is === 'moved' ? memory.find(now.id) : undefined;
    }
  }

  async #begin(site: RotatingManifests, pins: Pins): Promise<void> {
    const { cluster, pace, memory } = this.#parts;
    if (site.config?.rotatingCluster !== cluster) return;
    for (const row of site.all()) {
      await this.#turns.next();
      const due = this.#due(site, row);
      this.#result.due += due.count;
      this.#result.again = Math.min(this.#result.again, due.again);
      for (const entry of due.byHand) this.#result.troubles.push(dueByHand(site, row, entry));
      if (this.#isUnderway(site, row)) continue;
      const id = `${site.source.id} ${row.namespace}/${row.name}`;
      const recovered = await this.#try(`recover ${id}`, () => told(row, site, () => this.#recover(site, row)));
      if (recovered !== undefined) {
        await this.#advance(recovered, site, pins);
        continue;
      }
      const { next } = due;
      if (next === undefined || !(next.isUrgent || pace.take(id))) continue;
      const begun = await this.#try(id, () => told(row, site, () => this.#make(site, row, next, pins)));
      const rotation = begun === undefined ? undefined : memory.find(begun);
      if (rotation !== undefined) await this.#advance(rotation, site, pins);
    }
  }

  /** A word is followed once a rotation has begun that has not landed yet: killed before, it still counts. */
  async #spendWords(sites: readonly RotatingManifests[]): Promise<void> {
    const { memory, stateDirectory, cluster } = this.#parts;
    for (const word of this.#asked) {
      const isFollowed = memory.rotations.some(
        ({ namespace, name, entries, step }) =>
          namespace === word.namespace &&
          name === word.name &&
          entries.includes(word.entry) &&
          NOT_LANDED.includes(step),
      );
      if (isFollowed) await spend(stateDirectory, word);
      const rows = sites.flatMap((site) =>
        site.config?.rotatingCluster === cluster ? site.named(word.namespace, word.name) : [],
      );
      if (!rows.some(({ rotation }) => rotation.has(word.entry))) this.#result.troubles.push(unknownWord(word));
    }
  }

  /** Whether the manifest is to be left alone until something of it has ended. */
  #isUnderway({ source }: RotatingManifests, row: RotatingManifest): boolean {
    return this.#parts.memory.of(source.id, row).some(({ step }) => step !== 'retired');
  }

  /** What it takes up again where the memory was lost: a former value that nobody retired. */
  async #recover(site: RotatingManifests, row: RotatingManifest): Promise<Rotation | undefined> {
    const { memory, rotators, steps } = this.#parts;
    if (memory.of(site.source.id, row).length > 0) return undefined;
    const hasFormer = [...row.rotation].some(
      ([entry, { rotator }]) => rotator !== undefined && row.entries.has(previousOf(entry)),
    );
    const placed = hasFormer ? await site.read(row) : undefined;
    const rotation = placed && recoveredRotation(placed, site.source.id, rotators);
    if (rotation === undefined) return undefined;
    await steps.done(rotation, 'recovered', site);
    await memory.keep(rotation);
    return rotation;
  }

  async #make(site: RotatingManifests, row: RotatingManifest, wanted: Wanted, pins: Pins): Promise<string | undefined> {
    const { making, memory, steps } = this.#parts;
    const placed = await site.read(row);
    if (placed === undefined || site.named(row.namespace, row.name).length > 1) return undefined;
    const rotation = await making.begin(placed, wanted, site, pins);
    // What is left of the one before is a former value that this one replaces.
    for (const before of memory.of(site.source.id, row)) {
      await steps.done(before, 'done', site);
      await memory.forget(before);
      this.#result.done += 1;
    }
    await steps.done(rotation, 'made', site, reasonOf(wanted));
    await memory.keep(rotation);
    return rotation.id;
  }

  #parcel(site: RotatingManifests): Promise<Parcel> {
    const { memory, cluster, proposed } = this.#parts;
    const isOurs = site.config?.rotatingCluster === cluster;
    const rotations = memory.rotations.filter(({ source }) => source === site.source.id);
    return proposed.of(site, rotations, (row) => (isOurs ? this.#due(site, row).former : []), this.#signal);
  }

  #due({ source }: RotatingManifests, row: RotatingManifest): DueEntries {
    const { seen, exposed, now } = this.#parts;
    return dueEntries(row, { source: source.id, seen, now: now(), exposed, asked: this.#asked });
  }

  async #try<Result>(
    id: string,
    work: () => Promise<Result>,
    failed?: (error: CofferError) => Promise<void>,
  ): Promise<Result | undefined> {
    this.#tried.add(id);
    return this.#parts.patience.try(id, work, failed);
  }
}

function reasonOf({ isExposed, asker }: Wanted): Partial<AuditRecord> {
  if (asker !== undefined) return { reason: 'asked', actor: asker };
  return isExposed ? { reason: 'exposed' } : {};
}

function unknownWord({ namespace, name, entry }: AskedValue): CofferError {
  return new CofferError(
    'ROTATE_ASKED',
    `Somebody asked for a new ${entry} of ${namespace}/${name}, which this operator does not rotate.`,
    {
      advice: 'Correct the names, or write under spec.rotation how it is made; the word counts for a day.',
      data: { namespace, name, entry },
    },
  );
}

/** Names in an error the secret that it is about. */
async function told<Result>(
  { namespace, name }: { namespace: string; name: string },
  { source }: RotatingManifests,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CofferError ? error.at({ namespace, name, source: source.id }) : error;
  }
}

function dueByHand(
  { source }: RotatingManifests,
  { namespace, name, path }: RotatingManifest,
  entry: string,
): CofferError {
  return new CofferError('ROTATE_DUE', `${entry} of ${namespace}/${name} is due to be made anew, by hand.`, {
    advice: `Set a new value with \`coffer set ${path} ${entry}\`, or write under spec.rotation how it is generated.`,
    data: { namespace, name, entry, file: path, source: source.id },
  });
}
