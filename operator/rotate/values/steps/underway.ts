import { CofferError } from '../../../../core/errors.ts';
import type { Pins } from '../../../../core/keys/pins.ts';
import { readOperatorPins } from '../../../keys/operator-pins.ts';
import type { Rotation } from '../remembered/rotation.ts';
import type { RotationMemory } from '../remembered/rotation-memory.ts';
import type { RotatingManifests } from '../rotating-manifests.ts';
import type { Advance } from './advance.ts';
import type { Making } from './making.ts';
import type { Patience } from './patience.ts';
import type { RotatorTurns } from './rotator-turns.ts';
import type { StepRecords } from './step-records.ts';
import type { Waiting } from './waiting.ts';

/** What opens values: for as long as one look, or one turn with a rotator. */
export interface Opened {
  making: Making;
  advance: Advance;
}

export interface UnderwayParts {
  pinsFile: string;
  memory: RotationMemory;
  steps: StepRecords;
  patience: Patience;
  waiting: Waiting;
  turns: RotatorTurns;
  /** Calls `use`, and wipes what it opened. */
  opened: <Result>(use: (opened: Opened) => Promise<Result>) => Promise<Result>;
}

/** What a look found when it began. */
export interface Found {
  advance: Advance;
  pins: Pins;
  /** That of the pins. */
  pinsText: string;
  signal: AbortSignal;
}

/** Takes on, in one look, what is under way: as far as that goes without rotators, and then has each wait for its turn with its own. */
export class Underway {
  /** Milliseconds until one can be taken on further. */
  again = Number.POSITIVE_INFINITY;
  /** Whether values that an earlier run has verified are to be tried once more, and nothing is known against them yet. */
  isProving = false;
  readonly #parts: UnderwayParts;
  readonly #found: Found;
  readonly #tried: Set<string>;
  readonly #asking = new Map<Rotation, RotatingManifests>();

  /** `tried`: gets the ids that `patience` is to know after this look. */
  constructor(parts: UnderwayParts, found: Found, tried: Set<string>) {
    this.#parts = parts;
    this.#found = found;
    this.#tried = tried;
  }

  /** Throws what `Patience.try` throws; the signal's reason. */
  async takeOn(rotation: Rotation, site: RotatingManifests): Promise<void> {
    const { memory, patience, steps, waiting, turns } = this.#parts;
    const { advance, pins, pinsText, signal } = this.#found;
    for (let now: Rotation | undefined = rotation; now !== undefined; ) {
      signal.throwIfAborted();
      const current: Rotation = now;
      if (turns.has(current.id)) return this.#noteAsking(current);
      if (waiting.has(current, site, pinsText)) return;
      const id = `rotation ${current.id}`;
      this.#tried.add(id);
      const next = () => told(current, site, () => advance.next(current, site, pins));
      const progress = await patience.try(id, next, (error) => steps.failed(current, site, error));
      if (progress?.is === 'waits') this.again = Math.min(this.again, progress.again ?? this.again);
      if (progress?.is === 'waits' && progress.isForState === true) waiting.note(current, site, pinsText);
      if (progress?.is === 'asks') {
        this.#asking.set(current, site);
        this.#noteAsking(current);
      }
      now = progress?.is === 'moved' ? memory.find(current.id) : undefined;
    }
  }

  /** What is exposed comes first. */
  askRotators(): void {
    const { patience, turns } = this.#parts;
    const asking = [...this.#asking].sort(([one], [other]) => Number(other.isExposed) - Number(one.isExposed));
    for (const [rotation, site] of asking) {
      const { id, rotator = '' } = rotation;
      if (patience.isWaiting(turnOf(rotation)) || patience.isWaiting(rotatorOf(rotation))) continue;
      turns.take(rotator, id, (signal) => this.#ask(id, site, signal));
    }
  }

  /** As all is when its turn has come. */
  async #ask(id: string, site: RotatingManifests, signal: AbortSignal): Promise<void> {
    const { memory, patience, steps } = this.#parts;
    const rotation = memory.find(id);
    if (rotation === undefined || patience.isWaiting(rotatorOf(rotation))) return;
    const failed = (error: CofferError) => steps.failed(rotation, site, error);
    const unreachable = await patience.try(turnOf(rotation), () => this.#turn(rotation, site, signal), failed);
    // Another secret has no better luck with it.
    await patience.note(rotatorOf(rotation), unreachable, failed);
  }

  /** Returns what is the rotator's trouble, and not the rotation's. */
  #turn(rotation: Rotation, site: RotatingManifests, signal: AbortSignal): Promise<CofferError | undefined> {
    const { opened, pinsFile } = this.#parts;
    const turn = () =>
      opened(async ({ advance }) => {
        const progress = await advance.next(rotation, site, await readOperatorPins(pinsFile));
        if (progress.is === 'asks') await progress.ask(signal);
        return undefined;
      });
    return told(rotation, site, turn).catch((error: unknown) => {
      if (error instanceof CofferError && error.code === 'ROTATOR_UNREACHABLE') return error;
      throw error;
    });
  }

  #noteAsking(rotation: Rotation): void {
    this.#tried.add(turnOf(rotation)).add(rotatorOf(rotation));
    this.isProving ||= rotation.step === 'verified' && !this.#parts.patience.isFailing(turnOf(rotation));
  }
}

function turnOf({ id }: Rotation): string {
  return `turn of ${id}`;
}

function rotatorOf({ rotator = '' }: Rotation): string {
  return `rotator ${rotator}`;
}

/** Names in an error the secret that it is about. */
export async function told<Result>(
  { namespace, name }: { namespace: string; name: string },
  { source }: Pick<RotatingManifests, 'source'>,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CofferError ? error.at({ namespace, name, source: source.id }) : error;
  }
}
