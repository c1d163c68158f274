import { CofferError } from '../../core/errors.ts';
import type { SerialQueue } from '../../core/serial-queue.ts';
import type { Key } from '../project/namespaced-name.ts';
import type { Accepted } from '../source/source.ts';
import { troubleOf } from '../status/status.ts';
import type { HeldPath } from '../trust/held-path.ts';
import type { Sources } from './sources.ts';
import type { State } from './state/state.ts';
import type { Watched } from './state/watched.ts';
import type { Announcements } from './status/announcements.ts';
import type { Board } from './status/board.ts';
import { Refusals } from './status/refusals.ts';
import { RefusedFiles } from './status/refused-files.ts';
import type { Settlement } from './work/settlement.ts';

export interface VerdictsParts {
  sources: Sources;
  state: State;
  board: Board;
  settlement: Settlement;
  announcements: Announcements;
  turns: SerialQueue;
}

/** What sources took and did not take, where people look: the audit log, the secrets that it is about, objects of others. */
export class Verdicts {
  readonly #parts: VerdictsParts;
  readonly #refusals = new Refusals();
  readonly #files = new RefusedFiles();
  /** By source. */
  readonly #held = new Map<string, string>();

  constructor(parts: VerdictsParts) {
    this.#parts = parts;
  }

  /** What an earlier run held back, and told of. */
  recall(): void {
    for (const { id, held, accepted } of this.#parts.sources.git) {
      if (accepted?.isTold !== false) this.#refusals.known(id, held);
    }
  }

  /** Written with the work on this state. */
  accepted(state: Accepted): void {
    for (const record of this.#refusals.accepted(state)) this.#parts.announcements.add(record);
  }

  /** What the states that are shown now have, and nothing is made of; written with the next work. */
  settled(): void {
    const { sources, settlement, announcements } = this.#parts;
    for (const one of sources.git) {
      const { id, shown } = one;
      if (shown === undefined) continue;
      const problems = [...one.refused(), ...settlement.refusals(id)];
      for (const record of this.#files.news({ ...shown, id }, problems)) announcements.add(record);
    }
  }

  /** How a look went; `undefined`: well. Returns whether objects of others have to be looked at again. */
  polled(watched: Watched, error: unknown): boolean {
    watched.trouble = error === undefined || error instanceof CofferError ? error : ruledOut(error);
    const isNews = this.#withhold(watched);
    const records = this.#refusals.refused(watched.id, watched.trouble, watched.held ?? []);
    if (records.length === 0) return isNews;
    const { announcements, turns } = this.#parts;
    for (const record of records) announcements.add(record);
    // Where it cannot be written it waits, and the status says so.
    turns
      .take(() => announcements.write())
      .catch((failure) => {
        if (!(failure instanceof CofferError)) throw failure;
      });
    return isNews;
  }

  withholdAll(): void {
    for (const one of this.#parts.sources.git) this.#withhold(one);
  }

  /** What is held back of a source is seen on the secrets that its files own. */
  #withhold({ id, held = [] }: Watched): boolean {
    const { state, board, sources } = this.#parts;
    const homes = new Map<Key, HeldPath>();
    for (const one of held) {
      for (const key of state.ownedBy(id, one.path)) {
        const home = state.get(key)?.home ?? key;
        homes.set(home, homes.get(home) ?? one);
      }
    }
    board.withhold(id, homes);
    const now = JSON.stringify(held.map(({ path, commit, error }) => [path, commit, error.code]));
    const isSame = (this.#held.get(id) ?? '[]') === now;
    this.#held.set(id, now);
    // Objects of others may differ from git for that reason.
    if (!isSame) sources.objects?.recheck('all');
    return !isSame && sources.objects !== undefined;
  }
}

/** A fault of ours keeps a source from being looked at, too. */
function ruledOut(cause: unknown): CofferError {
  const { code, message, advice } = troubleOf(cause);
  return new CofferError(code, message, { advice, loop: 'retry', cause });
}
