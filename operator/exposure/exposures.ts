import type { AuditLog } from '../../core/audit/log.ts';
import { CofferError } from '../../core/errors.ts';
import type { Unproven } from '../../core/exposure/exposure.ts';
import { openerFor } from '../../core/opening/opener.ts';
import { BackgroundChore } from '../chores/background-chore.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { Log } from '../process/log.ts';
import { readRepositorySettings } from '../source/repository-settings.ts';
import type { Accepted, Source } from '../source/source.ts';
import type { ExposureStatus, Status } from '../status/status.ts';
import { ComparedMemory } from './compared-memory.ts';
import { Comparing } from './comparing.ts';
import { ComparisonBudget } from './comparison-budget.ts';
import { SourceExposure } from './source-exposure.ts';

/** In a day, for each exposed entry. */
const MOST_COMPARED = 50;

export interface ExposuresOptions {
  cluster: string;
  stateDirectory: string;
  store: KeyStore;
  sources: readonly Source[];
  audit: Pick<AuditLog, 'append'>;
  log: Pick<Log, 'info'>;
  /** How often values are compared with one exposed entry; absent: 50 times a day. */
  budget?: ComparisonBudget;
  /** Called when a value is found to be exposed, or not to be any more. */
  changed?: () => void;
}

/**
 * What of the accepted states is exposed (core/exposure), by the history that the clones have. Values that were only sealed anew are
 * compared with the exposed ones where our keys open both, so that a change is proven by a record, and nobody has to believe it.
 * Of a long history the first look takes a while.
 */
export class Exposures extends BackgroundChore {
  readonly #options: ExposuresOptions;
  readonly #sites: readonly SourceExposure[];
  readonly #budget: ComparisonBudget;
  #memory: ComparedMemory | undefined;
  /** What was looked at last: the same states and the same keys have nothing new to say. */
  #seen = '';
  /** By place and text: current values that a lost key opens, or that are known to be the same as one that it opens. */
  #live: ReadonlySet<string> = new Set();
  #needed: ReadonlySet<string> = new Set();
  /** Entries that were compared too often today. */
  #postponed: readonly Unproven[] = [];

  constructor(options: ExposuresOptions) {
    super();
    this.#options = options;
    this.#budget = options.budget ?? new ComparisonBudget(MOST_COMPARED);
    this.#sites = options.sources.map((source) => new SourceExposure(source, options.stateDirectory));
  }

  /**
   * Whether somebody else may know the value that stands in an entry as this sealed text (its digest), by the last work that ended. A
   * text that is newer than that is not known to be exposed, and one that was only sealed anew is compared first.
   */
  exposed(namespace: string, name: string, entry: string, text: string): boolean {
    return this.#live.has(placeKey({ namespace, name, entry, text }));
  }

  /** For people: what could not be compared any more without this key of ours. */
  hangingOn(kid: string): string[] {
    if (this.#seen === '') return ['values of the accepted states, which were not compared with exposed ones yet'];
    return this.#needed.has(kid) ? ['values that are still to be compared with exposed ones'] : [];
  }

  status(): Partial<Status> {
    const exposure = this.#sites.flatMap(({ source, report, isWhole }): ExposureStatus[] => {
      if (report === undefined) return [];
      const count = (state: string) => report.living.filter((value) => value.state === state).length;
      return [{ source: source.id, live: count('live'), resealed: count('resealed'), isWhole }];
    });
    return exposure.length === 0 ? {} : { exposure };
  }

  protected override async work(signal: AbortSignal): Promise<readonly CofferError[]> {
    try {
      await this.#look(signal);
    } catch (error) {
      this.#seen = '';
      throw error;
    }
    const [often] = this.#postponed;
    return [
      ...this.#sites.flatMap(({ source, takenBack }) => takenBack.map((kid) => revokedBack(source.id, kid))),
      ...(often === undefined ? [] : [comparedOften(often)]),
    ];
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { sources, stateDirectory, store } = this.#options;
    const states = await Promise.all(sources.map((source) => source.accepted()));
    this.#memory ??= await ComparedMemory.open(stateDirectory);
    const keys = await store.read();
    try {
      const held = [...keys.keys.keys()].sort();
      const seen = JSON.stringify([states.map((state) => state && [state.commit, state.tree]), held]);
      if (seen === this.#seen && !this.#budget.isFreeAgain()) return;
      const needed = new Set<string>();
      const postponed: Unproven[] = [];
      for (const [index, site] of this.#sites.entries()) {
        const state = states[index];
        if (state !== undefined)
          await this.#lookAt(site, state, { keys, memory: this.#memory, needed, postponed, signal });
      }
      this.#needed = needed;
      this.#postponed = postponed;
      this.#noteLive();
      this.#seen = seen;
    } finally {
      keys.wipe();
    }
  }

  async #lookAt(site: SourceExposure, state: Accepted, parts: LookParts): Promise<void> {
    const { keys, memory, needed, postponed, signal } = parts;
    const { cluster, audit, log } = this.#options;
    const { unproven } = await site.look(state, memory, signal);
    if (unproven.length === 0) return;
    const { keyring } = await readRepositorySettings(site.source.repository, state.tree, new Map());
    const opener = openerFor(keyring, keys, { as: cluster });
    let compared = 0;
    try {
      const comparing = new Comparing({ cluster, audit, memory, budget: this.#budget }, site, opener);
      for (const pairs of Map.groupBy(unproven, ({ current }) => placeKey(current)).values()) {
        signal.throwIfAborted();
        compared += await this.#try(comparing, pairs, needed);
      }
      for (const kid of await comparing.kidsFor(comparing.postponed)) needed.add(kid);
      postponed.push(...comparing.postponed);
    } finally {
      opener.wipe();
    }
    if (compared === 0) return;
    const { living } = await site.look(state, memory, signal);
    log.info(`compared ${compared} of the values with former ones; exposed: ${living.length}`, {
      source: site.source.id,
      commit: state.commit,
    });
  }

  /** One value that does not open must not hold up the others; what the machine makes fail is tried again by the next look. */
  async #try(comparing: Comparing, pairs: readonly Unproven[], needed: Set<string>): Promise<number> {
    try {
      return await comparing.compare(pairs);
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      if (error.loop === 'retry' || error.code.startsWith('AUDIT_')) {
        for (const kid of await comparing.kidsFor(pairs)) needed.add(kid);
        throw error;
      }
      return 0;
    }
  }

  #noteLive(): void {
    const living = this.#sites.flatMap(({ report }) => report?.living ?? []);
    const live = new Set(living.filter(({ state }) => state === 'live').map(placeKey));
    const isSame = live.size === this.#live.size && live.isSubsetOf(this.#live);
    this.#live = live;
    if (!isSame) this.#options.changed?.();
  }
}

interface LookParts {
  keys: Awaited<ReturnType<KeyStore['read']>>;
  memory: ComparedMemory;
  needed: Set<string>;
  postponed: Unproven[];
  signal: AbortSignal;
}

function comparedOften({ former: { namespace, name, entry } }: Unproven): CofferError {
  return new CofferError(
    'EXPOSURE_COMPARED_OFTEN',
    `values were compared with what ${entry} of ${namespace}/${name} held so often today that others wait until tomorrow`,
    {
      advice:
        'Find out who writes so many: each comparison tells whether a value is the exposed one, so that somebody may be guessing.',
      data: { namespace, name, entry },
      loop: 'wait',
    },
  );
}

function revokedBack(source: string, keyId: string): CofferError {
  return new CofferError(
    'EXPOSURE_REVOKED_BACK',
    `The key ${keyId} was revoked, and the keyring does not say so any more.`,
    {
      advice:
        'What was sealed to it stays exposed. Find out who changed the file of its recipient, and restore it from git.',
      data: { source, keyId },
      loop: 'wait',
    },
  );
}

function placeKey({
  namespace,
  name,
  entry,
  text,
}: {
  namespace: string;
  name: string;
  entry: string;
  text: string;
}): string {
  return JSON.stringify([namespace, name, entry, text]);
}
