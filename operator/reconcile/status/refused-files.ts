import type { AuditRecord } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';

/** A source whose accepted state is shown. */
export interface ShownSource {
  id: string;
  /** The accepted commit. */
  commit: string;
  /** Whether the log has this state. */
  isTold: boolean;
}

/** Records of what accepted states have and nothing is made of, such as a manifest that cannot be read: each once while it is so. */
export class RefusedFiles {
  /** By source: what the log was told. */
  readonly #told = new Map<string, ReadonlySet<string>>();

  /** @param problems of the whole state; those of one secret, or of a file that none is known of, are told of by the first */
  news({ id, commit, isTold }: ShownSource, problems: Iterable<CofferError>): AuditRecord[] {
    const records = new Map<string, AuditRecord>();
    const seen = new Set<string>();
    for (const { code, message, data } of problems) {
      const { file, namespace, name } = data;
      const place = JSON.stringify([file, namespace, name]);
      if (file === undefined || seen.has(place)) continue;
      seen.add(place);
      records.set(JSON.stringify([place, code, message]), {
        ...{ event: 'path.refused', source: id, accepted: commit, path: file },
        ...(namespace === undefined ? {} : { namespace }),
        ...(name === undefined ? {} : { name }),
        ...{ code, message },
      });
    }
    const told = this.#told.get(id);
    this.#told.set(id, new Set(records.keys()));
    // Of a state that an earlier run had taken up.
    if (told === undefined && isTold) return [];
    return [...records].filter(([key]) => told?.has(key) !== true).map(([, record]) => record);
  }
}
