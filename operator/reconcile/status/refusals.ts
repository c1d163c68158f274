import type { AuditPerson, AuditRecord } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';
import type { Accepted } from '../../source/source.ts';
import type { HeldPath } from '../../trust/held-path.ts';

/** So many records are made of a look: whoever is refused must not fill the log. */
const MOST = 100;
/** So many are remembered of a source: a server that shows refused commits in turn must not fill the log either. */
const MOST_REMEMBERED = 20 * MOST;

/** Records of what sources took and did not take: each once. */
export class Refusals {
  /** By source: what was said already, that of the newest look last. */
  readonly #said = new Map<string, Set<string>>();

  /** What an earlier run said. */
  known(source: string, held: readonly HeldPath[]): void {
    this.#remember(source, held.map(keyOfHeld));
  }

  /** None where the log has them. */
  accepted(state: Accepted): AuditRecord[] {
    const { source, commit, author, time, basis, signer, endorsedBy, acceptedBy, returns, held, isTold } = state;
    if (isTold) return [];
    const common = { source, commit };
    const accepted: AuditRecord = {
      ...{ event: 'commit.accepted', ...common, author, committed: new Date(time * 1000).toISOString(), basis },
      ...(signer === undefined ? {} : { signer: { names: [...signer.names], key: signer.key } }),
      ...(endorsedBy === undefined ? {} : { endorsement: endorsedBy.commit }),
      ...(acceptedBy === undefined ? {} : { actor: acceptedBy }),
    };
    const returned = returns.map(({ path, entry, commit: by }): AuditRecord => {
      return { event: 'value.returned', source, commit: by, path, entries: [entry] };
    });
    return [accepted, ...returned, ...this.refused(source, undefined, held)];
  }

  /** `error`: of the last look; it may have refused a whole commit. */
  refused(source: string, error: CofferError | undefined, held: readonly HeldPath[]): AuditRecord[] {
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
    const news = [...records].filter(([key]) => !this.#said.get(source)?.has(key));
    this.#remember(source, records.keys());
    return news.map(([, record]) => record);
  }

  #remember(source: string, keys: Iterable<string>): void {
    const said = this.#said.get(source) ?? new Set();
    this.#said.set(source, said);
    for (const key of keys) {
      said.delete(key);
      said.add(key);
    }
    for (const oldest of said) {
      if (said.size <= MOST_REMEMBERED) return;
      said.delete(oldest);
    }
  }
}

function keyOfHeld({ path, aspect, commit, error }: HeldPath): string {
  return JSON.stringify([path, aspect, commit, error.code]);
}

function personOf({ name, email }: AuditPerson): AuditPerson {
  return { name, email };
}
