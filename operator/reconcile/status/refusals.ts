import type { AuditPerson, AuditRecord } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';
import type { Accepted } from '../../source/source.ts';
import type { HeldPath } from '../../trust/held-path.ts';

/** So many records are made of a look: whoever is refused must not fill the log. */
const MOST = 100;

/** Records of what sources took and did not take: each once, for as long as it stays so. */
export class Refusals {
  /** By source: what was said already. */
  readonly #said = new Map<string, ReadonlySet<string>>();

  /** What an earlier run said. */
  known(source: string, held: readonly HeldPath[]): void {
    this.#said.set(source, new Set(held.map(keyOfHeld)));
  }

  /** None where the log has them. */
  accepted(state: Accepted): AuditRecord[] {
    const { source, commit, author, time, basis, signer, endorsedBy, returns, held, isTold } = state;
    if (isTold) return [];
    const common = { source, commit };
    const accepted: AuditRecord = {
      ...{ event: 'commit.accepted', ...common, author, committed: new Date(time * 1000).toISOString(), basis },
      ...(signer === undefined ? {} : { signer: { names: [...signer.names], key: signer.key } }),
      ...(endorsedBy === undefined ? {} : { endorsement: endorsedBy.commit }),
    };
    const returned = returns.map(({ path, entry, commit: by }): AuditRecord => {
      return { event: 'value.returned', source, commit: by, path, entries: [entry] };
    });
    return [accepted, ...returned, ...this.refused(source, undefined, held)];
  }

  /** `error`: of the last look; it may have refused a whole commit. */
  refused(source: string, error: CofferError | undefined, held: readonly HeldPath[]): AuditRecord[] {
    const before = this.#said.get(source) ?? new Set<string>();
    const records = new Map<string, AuditRecord>();
    if (error?.data.commit !== undefined) {
      const { code, message } = error;
      const { commit } = error.data;
      records.set(`commit ${commit} ${code}`, { event: 'commit.refused', source, commit, code, message });
    }
    for (const one of held.slice(0, MOST)) {
      const { path, aspect, commit, author, error: why } = one;
      records.set(keyOfHeld(one), {
        ...{ event: 'path.refused', source, commit, author: personOf(author), path, aspect },
        ...{ code: why.code, message: why.message },
      });
    }
    // A look that failed for another reason ends nothing.
    if (error === undefined || error.data.commit !== undefined) this.#said.set(source, new Set(records.keys()));
    return [...records].flatMap(([key, record]) => (before.has(key) ? [] : [record]));
  }
}

function keyOfHeld({ path, aspect, commit, error }: HeldPath): string {
  return JSON.stringify([path, aspect, commit, error.code]);
}

function personOf({ name, email }: AuditPerson): AuditPerson {
  return { name, email };
}
