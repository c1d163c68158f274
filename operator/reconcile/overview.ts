import type { CofferError } from '../../core/errors.ts';
import type { Key } from '../project/namespaced-name.ts';
import type { Accepted } from '../source/source.ts';
import { type RefusedPath, type SourceStatus, type Status, troubleOf } from '../status/status.ts';
import type { HeldPath } from '../trust/held-path.ts';
import type { State } from './state/state.ts';
import type { Watched } from './state/watched.ts';
import type { Board } from './status/board.ts';
import type { Settlement } from './work/settlement.ts';

/** Of each source so many are shown and logged; the message of its trouble has the number of all. */
const MOST_REFUSED = 100;

export interface OverviewParts {
  watched: ReadonlyMap<string, Watched>;
  state: State;
  board: Board;
  settlement: Settlement;
  /** What concerns no one secret. */
  errors(): readonly CofferError[];
}

/** What is published of the reconciler's knowledge. */
export class Overview {
  readonly #parts: OverviewParts;

  constructor(parts: OverviewParts) {
    this.#parts = parts;
  }

  status(): Status {
    const { board, state } = this.#parts;
    const homes = new Set(board.homes());
    for (const [key, { home }] of state.secrets()) if (key === home) homes.add(home);
    return this.#of(homes);
  }

  troubles(): Status {
    const { board, state } = this.#parts;
    const held = [...state.held().values()].flatMap((keys) => [...keys]);
    return this.#of(new Set([...board.failures().keys(), ...board.withheld(), ...held]));
  }

  #of(homes: ReadonlySet<Key>): Status {
    const { board, state, watched, errors } = this.#parts;
    return {
      sources: [...watched.values()].map((one) => this.#source(one)),
      secrets: [...homes].sort().map((home) => board.status(home, state.get(home))),
      problems: errors().map(troubleOf),
    };
  }

  #source(watched: Watched): SourceStatus {
    const { id, address, accepted, held = [] } = watched;
    const problems = [...watched.problems(), ...this.#parts.settlement.refusals(id)];
    return {
      id,
      address,
      ...(watched.commit === undefined ? {} : { commit: watched.commit }),
      ...(accepted === undefined ? {} : acceptedStatus(accepted)),
      refused: held.slice(0, MOST_REFUSED).map(refusedStatus),
      ...(watched.trouble === undefined ? {} : { trouble: troubleOf(watched.trouble) }),
      held: this.#held(id),
      problems: problems.map(troubleOf),
    };
  }

  #held(source: string): SourceStatus['held'] {
    const { state } = this.#parts;
    return [...state.held()].flatMap(([commit, keys]) => {
      const secrets = [...keys].filter((key) => state.get(key)?.owner?.source === source).sort();
      return secrets.length === 0 ? [] : [{ commit, secrets }];
    });
  }
}

function acceptedStatus({ basis, signer, acceptedAt }: Accepted): Partial<SourceStatus> {
  return {
    basis,
    ...(signer === undefined ? {} : { signer: { names: signer.names, key: signer.key } }),
    ...(acceptedAt === undefined ? {} : { acceptedAt }),
  };
}

function refusedStatus({ path, aspect, commit, author: { name, email }, error }: HeldPath): RefusedPath {
  return { ...troubleOf(error), path, aspect, commit, author: { name, email } };
}
