import type { CofferError } from '../../../core/errors.ts';
import { type Key, namesOf } from '../../project/namespaced-name.ts';
import { type SecretStatus, troubleOf, type Verified } from '../../status/status.ts';
import type { HeldPath } from '../../trust/held-path.ts';
import type { SecretRecord } from '../state/state.ts';
import { Withheld } from './withheld.ts';

interface Row {
  error?: CofferError;
  since?: string;
  workloads: readonly string[];
  keyId?: string;
  /** Whether this run has projected it, or tried to. */
  isTried: boolean;
}

/** How each secret is doing: what was last tried with it, and how that ended. */
export class Board {
  readonly #rows = new Map<Key, Row>();
  readonly #failures = new Map<Key, CofferError>();
  readonly #verified = new Map<Key, Verified>();
  readonly #withheld = new Withheld();
  readonly #changed = new Set<Key>();

  ready(home: Key, workloads: readonly string[], keyId?: string): void {
    this.#failures.delete(home);
    this.#set(home, { workloads, ...(keyId === undefined ? {} : { keyId }), isTried: true });
  }

  /** `commit`: the newest one; kept as the beginning while the same trouble lasts. `seen`: what is known all the same. */
  failed(
    home: Key,
    error: CofferError,
    commit: string | undefined,
    seen: Partial<Pick<Row, 'workloads' | 'keyId'>> = {},
  ): void {
    const before = this.#rows.get(home);
    this.#failures.set(home, error);
    const since = before?.error?.code === error.code ? before.since : commit;
    const keyId = seen.keyId ?? before?.keyId;
    this.#set(home, {
      error,
      ...(since === undefined ? {} : { since }),
      ...(keyId === undefined ? {} : { keyId }),
      workloads: seen.workloads ?? before?.workloads ?? [],
      isTried: true,
    });
  }

  forget(home: Key): void {
    this.#failures.delete(home);
    this.#rows.delete(home);
  }

  /** What git says of the object that others apply under that name; `undefined`: there is none. */
  verified(home: Key, verified: Verified | undefined): void {
    if (verified === undefined) this.#verified.delete(home);
    else this.#verified.set(home, verified);
    this.#changed.add(home);
  }

  /** Secrets of a source whose newest manifest is not taken. */
  withhold(source: string, held: ReadonlyMap<Key, HeldPath>): void {
    for (const home of this.#withheld.set(source, held)) this.#changed.add(home);
  }

  withheld(): Iterable<Key> {
    return this.#withheld.homes();
  }

  /** The homes of which something was said since the last call and is not forgotten. */
  takeChanged(): Key[] {
    const isKnown = (home: Key) => this.#rows.has(home) || this.#verified.has(home);
    const changed = [...this.#changed].filter(isKnown);
    this.#changed.clear();
    return changed;
  }

  failures(): ReadonlyMap<Key, CofferError> {
    return this.#failures;
  }

  /** What this run has projected, or tried to. */
  tried(): IterableIterator<Key> {
    return this.#rows.keys();
  }

  homes(): Iterable<Key> {
    return new Set([...this.#rows.keys(), ...this.#verified.keys()]);
  }

  status(home: Key, record: SecretRecord | undefined): SecretStatus {
    const row = this.#rows.get(home);
    const { owner, good } = record ?? {};
    const verified = this.#verified.get(home);
    const error = row?.error ?? this.#withheld.get(home);
    const since = row?.error === undefined ? error?.data.commit : row.since;
    return {
      ...namesOf(home),
      ...(owner === undefined ? {} : { source: owner.source, path: owner.path }),
      state: stateOf(row, record, error),
      ...(good === undefined || good.commit === '' ? {} : { commit: good.commit }),
      ...(row?.keyId === undefined ? {} : { keyId: row.keyId }),
      ...(good?.changedAt === undefined ? {} : { changedAt: good.changedAt }),
      ...(verified === undefined ? {} : { verified }),
      ...(error === undefined ? {} : { trouble: troubleOf(error) }),
      ...(error?.loop === 'retry' ? { isRetried: true } : {}),
      ...(record?.held === undefined ? {} : { heldBy: record.held }),
      ...(since === undefined ? {} : { since }),
      workloads: [...(row?.workloads ?? [])],
    };
  }

  #set(home: Key, row: Row): void {
    this.#rows.set(home, row);
    this.#changed.add(home);
  }
}

function stateOf(
  row: Row | undefined,
  record: SecretRecord | undefined,
  error: CofferError | undefined,
): SecretStatus['state'] {
  if (error !== undefined) return 'failed';
  if (record?.held !== undefined) return 'held';
  if (record?.retained === true) return 'retained';
  return row?.isTried === true ? 'ready' : 'pending';
}
