import type { CofferError } from '../../../core/errors.ts';
import { type Key, namesOf } from '../state/claim.ts';
import type { SecretRecord } from '../state/state.ts';
import { type SecretStatus, troubleOf } from './status.ts';

interface Row {
  error?: CofferError;
  since?: string;
  workloads: readonly string[];
  /** Whether this run has projected it, or tried to. */
  isTried: boolean;
}

/** How each secret is doing: what was last tried with it, and how that ended. */
export class Board {
  readonly #rows = new Map<Key, Row>();
  readonly #failures = new Map<Key, CofferError>();

  ready(home: Key, workloads: readonly string[]): void {
    this.#failures.delete(home);
    this.#rows.set(home, { workloads, isTried: true });
  }

  /** `commit`: the newest one; kept as the beginning while the same trouble lasts. */
  failed(home: Key, error: CofferError, commit: string | undefined, workloads?: readonly string[]): void {
    const before = this.#rows.get(home);
    this.#failures.set(home, error);
    const since = before?.error?.code === error.code ? before.since : commit;
    this.#rows.set(home, {
      error,
      ...(since === undefined ? {} : { since }),
      workloads: workloads ?? before?.workloads ?? [],
      isTried: true,
    });
  }

  forget(home: Key): void {
    this.#failures.delete(home);
    this.#rows.delete(home);
  }

  failures(): ReadonlyMap<Key, CofferError> {
    return this.#failures;
  }

  homes(): IterableIterator<Key> {
    return this.#rows.keys();
  }

  status(home: Key, record: SecretRecord | undefined): SecretStatus {
    const row = this.#rows.get(home);
    const { owner, good } = record ?? {};
    return {
      ...namesOf(home),
      ...(owner === undefined ? {} : { source: owner.source, path: owner.path }),
      state: stateOf(row, record),
      ...(good === undefined ? {} : { commit: good.commit }),
      ...(row?.error === undefined ? {} : { trouble: troubleOf(row.error) }),
      ...(row?.since === undefined ? {} : { since: row.since }),
      workloads: [...(row?.workloads ?? [])],
    };
  }
}

function stateOf(row: Row | undefined, record: SecretRecord | undefined): SecretStatus['state'] {
  if (row?.error !== undefined) return 'failed';
  if (record?.held !== undefined) return 'held';
  if (record?.retained === true) return 'retained';
  return row?.isTried === true ? 'ready' : 'pending';
}
