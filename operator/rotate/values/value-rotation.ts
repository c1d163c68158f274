import type { AuditLog } from '../../../core/audit/log.ts';
import type { CofferError } from '../../../core/errors.ts';
import type { Manifest } from '../../../core/format/manifest/manifest.ts';
import { BackgroundChore } from '../../chores/background-chore.ts';
import type { RotatorConfig } from '../../config/settings.ts';
import type { KeyStore } from '../../keys/key-store.ts';
import { OwnMark } from '../../keys/own-mark.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import type { Log } from '../../process/log.ts';
import type { Pusher } from '../../push/pusher.ts';
import type { Source } from '../../source/source.ts';
import type { RotationStatus, Status } from '../../status/status.ts';
import { Proposals } from '../proposals.ts';
import { Rotators } from '../rotators/configured.ts';
import { Delivery } from './delivery.ts';
import { FirstSeen } from './due/first-seen.ts';
import { Pace } from './due/pace.ts';
import { ProposedChanges } from './proposed-changes.ts';
import { RotationMemory } from './remembered/rotation-memory.ts';
import { RotationStore } from './remembered/rotation-store.ts';
import { RotatingManifests } from './rotating-manifests.ts';
import { Round, type RoundParts } from './round.ts';
import { Advance, type AdvanceOptions } from './steps/advance.ts';
import { Making } from './steps/making.ts';
import { Openings } from './steps/openings.ts';
import { Patience } from './steps/patience.ts';
import { RotationValues } from './steps/rotation-values.ts';
import { RotatorTurns } from './steps/rotator-turns.ts';
import { Standings } from './steps/standings.ts';
import { StepRecords } from './steps/step-records.ts';
import type { Opened } from './steps/underway.ts';
import { Waiting } from './steps/waiting.ts';
import { WatchedTime } from './steps/watched-time.ts';

export interface ValueRotationOptions {
  cluster: string;
  stateDirectory: string;
  /** The operator's own: nothing is sealed to those whom it does not confirm. */
  pinsFile: string;
  store: KeyStore;
  sources: readonly Source[];
  /** By id of the source: of those that the operator may push to. */
  pushers: ReadonlyMap<string, Pusher>;
  rotators: readonly RotatorConfig[];
  /** Throws unless this operator leads; absent: nobody else could. */
  mayWrite?: (() => void) | undefined;
  audit: Pick<AuditLog, 'append'>;
  client?: KubeClient | undefined;
  log: Pick<Log, 'info' | 'thrown'>;
  /** Looks at a source now. */
  wake: (source: string) => void;
  /** The manifest whose values this cluster has projected; undefined: it has projected none. */
  projected: (namespace: string, name: string) => Promise<Manifest | undefined>;
  exposed?: (namespace: string, name: string, entry: string, text: string) => boolean;
  now?: () => Date;
  /** Milliseconds by a clock that nobody sets; absent: since the process started. */
  clock?: () => number;
}

/** Milliseconds: by then what is due is noticed, also where no source is looked at so often. */
const LONGEST_WAIT = 60_000;
/** And what is woken at once for a reason that does not go away must not spin. */
const SHORTEST_WAIT = 100;
/** Of what is only old, so many begin within so many milliseconds. */
const PACE = { most: 5, within: 600_000 } as const;

/**
 * Makes values anew when they are due, and takes each rotation through its steps (docs/rotation.md, "Values").
 */
export class ValueRotation extends BackgroundChore {
  readonly #options: ValueRotationOptions;
  readonly #parts: Omit<RoundParts, 'memory' | 'seen'>;
  readonly #advancing: Omit<AdvanceOptions, 'memory' | 'making' | 'values'>;
  readonly #standings = new Standings();
  readonly #turns: RotatorTurns;
  /** `seen` knows from one look to the next what could not be written. */
  #remembered: { memory: RotationMemory; seen: FirstSeen } | undefined;
  #counts: RotationStatus = { due: 0, underway: 0, failed: 0, done: 0 };
  #timer: NodeJS.Timeout | undefined;

  /** Throws CofferError ROTATOR_CONFIG, ROTATOR_USER. */
  constructor(options: ValueRotationOptions) {
    super();
    const { sources, stateDirectory, exposed = () => false, now = () => new Date(), clock, log } = options;
    const rotators = new Rotators(options.rotators, (line) => log.info(`a rotator says: ${line}`), options.mayWrite);
    const steps = new StepRecords(options);
    const proven = new Set<string>();
    this.#options = options;
    this.#turns = new RotatorTurns(() => this.#askForLook());
    this.#advancing = {
      ...{ cluster: options.cluster, projected: options.projected, rotators, steps, proven },
      watched: new WatchedTime(clock),
    };
    this.#parts = {
      ...{ cluster: options.cluster, stateDirectory, pinsFile: options.pinsFile, rotators, steps, exposed, now },
      sites: sources.map((source) => new RotatingManifests(source)),
      proposed: new ProposedChanges(rotators, proven),
      delivery: new Delivery({ ...options, proposals: new Proposals(options) }),
      waiting: new Waiting(),
      pace: new Pace(PACE.most, PACE.within, clock),
      patience: new Patience(clock),
      turns: this.#turns,
      opened: (use) => this.#opened(use),
    };
  }

  status(): Partial<Status> {
    return { rotations: this.#counts };
  }

  /** The turns with rotators too: each ends with another look. */
  override async settled(): Promise<void> {
    await super.settled();
    while (!this.#turns.isIdle) {
      await this.#turns.settled();
      await super.settled();
    }
  }

  override async close(): Promise<void> {
    await Promise.all([this.#turns.close(), super.close()]);
    clearTimeout(this.#timer);
  }

  protected override async work(signal: AbortSignal): Promise<readonly CofferError[]> {
    let again = LONGEST_WAIT;
    try {
      this.#turns.rethrow();
      const { memory, seen } = await this.#recall();
      const parts = { ...this.#parts, memory, seen };
      const { troubles, due, ...result } = await this.#opened((opened) => new Round(parts, opened, signal).run());
      this.#counts = { due, underway: memory.size, failed: troubles.length, done: memory.ended };
      again = result.again;
      return troubles;
    } catch (error) {
      this.#counts = { ...this.#counts, failed: 1 };
      throw error;
    } finally {
      clearTimeout(this.#timer);
      const wait = Math.max(SHORTEST_WAIT, Math.min(again, LONGEST_WAIT));
      if (!signal.aborted) this.#timer = setTimeout(() => this.#askForLook(), wait).unref();
    }
  }

  #askForLook(): void {
    this.look().catch((error: unknown) => this.#options.log.thrown(error));
  }

  async #recall(): Promise<{ memory: RotationMemory; seen: FirstSeen }> {
    if (this.#remembered !== undefined) return this.#remembered;
    const { stateDirectory, client, store, log } = this.#options;
    const told = (error: CofferError) => log.thrown(error);
    const mark = new OwnMark({ store, told });
    const memory = await RotationMemory.open(new RotationStore(stateDirectory, client), mark, told);
    this.#remembered = { memory, seen: new FirstSeen(memory) };
    return this.#remembered;
  }

  async #opened<Result>(use: (opened: Opened) => Promise<Result>): Promise<Result> {
    const { memory, seen } = await this.#recall();
    const openings = new Openings(this.#options);
    try {
      const { rotators, now } = this.#parts;
      const making = new Making({ openings, rotators, seen, now });
      const values = new RotationValues(openings, this.#standings);
      return await use({ making, advance: new Advance({ ...this.#advancing, memory, making, values }) });
    } finally {
      await openings.close();
    }
  }
}
