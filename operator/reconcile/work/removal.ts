import type { AuditLog } from '../../../core/audit/log.ts';
import type { AuditRecord, IntentRecord, OutcomeRecord } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';
import { concurrently } from '../../concurrency/concurrently.ts';
import type { Key } from '../../project/namespaced-name.ts';
import type { Projector } from '../../project/projector.ts';
import type { Publisher } from '../../publish/publisher.ts';
import type { State } from '../state/state.ts';
import type { Watched } from '../state/watched.ts';
import type { Board } from '../status/board.ts';
import { prune, pruneRecord } from './projection.ts';
import type { Settlement } from './settlement.ts';

export interface RemovalParts {
  cluster: string;
  projectors: readonly Projector[];
  publisher?: Publisher;
  audit: AuditLog;
  state: State;
  watched: ReadonlyMap<string, Watched>;
  board: Board;
  settlement: Settlement;
  changed(home: Key): void;
}

/** Removed at once: what takes time is waiting for an API server. */
const AT_ONCE = 16;

/** Takes away what nobody has any more, and lets go of what is to stay: its intent is on disk before (promise 2). */
export class Removal {
  readonly #parts: RemovalParts;
  readonly #outcomes: OutcomeRecord[] = [];
  readonly mistakes: unknown[] = [];

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /** How what was done ended, where the log could not take that. */
  get untold(): readonly AuditRecord[] {
    return this.#outcomes;
  }

  /** `gone`: to be taken away. `retained`: to be let go of. Throws `AUDIT_UNWRITABLE`, `STATE_UNWRITABLE`. */
  async run(gone: readonly Key[], retained: readonly Key[]): Promise<void> {
    const { audit, state } = this.#parts;
    const intents = [...gone, ...retained].map((home) => ({ home, record: this.#record(home) }));
    if (intents.length === 0) return;
    await audit.append(intents.map(({ record }) => record));
    const removed: Key[] = [];
    await concurrently(intents.slice(0, gone.length), AT_ONCE, async ({ home, record }) => {
      if (await this.#take(home, record, 'prune')) removed.push(home);
    });
    await concurrently(intents.slice(gone.length), AT_ONCE, async ({ home, record }) => {
      const remembered = state.get(home);
      if ((await this.#take(home, record, 'retain')) && remembered !== undefined)
        state.set(home, { ...remembered, isReleased: true });
    });
    await this.#forget(removed);
    await audit.append(this.#outcomes);
    this.#outcomes.length = 0;
    await state.flush();
  }

  #record(home: Key): IntentRecord {
    const { cluster, state, watched } = this.#parts;
    const good = state.get(home)?.good;
    return pruneRecord(home, cluster, good, good && watched.get(good.source)?.accepted);
  }

  async #take(home: Key, record: IntentRecord, how: 'prune' | 'retain'): Promise<boolean> {
    const outcome = await prune(home, record, this.#parts.projectors, how);
    this.#outcomes.push(...outcome.records);
    if ('mistake' in outcome) this.mistakes.push(outcome.mistake);
    if (outcome.error !== undefined) this.#parts.board.failed(home, outcome.error, undefined);
    return outcome.error === undefined;
  }

  async #forget(removed: readonly Key[]): Promise<void> {
    const { publisher, board, state, settlement } = this.#parts;
    const unreleased: ReadonlyMap<Key, CofferError> = (await publisher?.release(removed)) ?? new Map();
    for (const home of removed) {
      const error = unreleased.get(home) ?? settlement.conflict(home);
      if (error === undefined) board.forget(home);
      else board.failed(home, error, undefined);
      // Where its mirror stays for now, what is remembered of it has the removal tried again.
      if (unreleased.has(home) || isLeftover(state, home)) continue;
      this.#parts.changed(home);
      for (const key of [home, ...state.reached(home)]) state.drop(key);
    }
  }
}

/** Projected under a name that now belongs to a manifest of another name. */
export function isLeftover(state: State, home: Key): boolean {
  const record = state.get(home);
  return record !== undefined && record.home !== home;
}
