import { posix } from 'node:path';
import type { AuditRecord } from '../../../core/audit/record.ts';
import type { CofferError } from '../../../core/errors.ts';
import { isRequestPath } from '../../../core/requests/request.ts';
import type { Asked } from '../../requests/asked.ts';
import type { Source } from '../../source/source.ts';
import type { KeyMemory } from './memory.ts';

/** A wish that this operator does not follow now. */
export interface Refused {
  /** The same while it is refused for the same reason. */
  id: string;
  record: AuditRecord;
}

/** Of a request in an accepted state. */
export function refusedBy(error: CofferError, cluster: string, asked: readonly Asked[]): Refused {
  const path = error.data.file ?? '';
  const request = posix.basename(path, '.yaml');
  const has = ({ rotations, retirements }: Asked) => [...rotations, ...retirements].some(({ id }) => id === request);
  const from = asked.find(has);
  const place = from === undefined ? {} : { source: from.source.id, commit: from.state.commit };
  const { code, message } = error;
  return {
    id: `${request} ${code}`,
    record: { event: 'request.refused', cluster, request, path, ...place, code, message },
  };
}

/** Wishes about this cluster, or about what it can open, in commits that trust holds back: whoever asks must have the role for it. */
export function heldRequests(sources: readonly Source[], cluster: string): Refused[] {
  const refused = new Map<string, Refused>();
  for (const source of sources) {
    for (const { path, commit, author, error } of source.held) {
      const request = posix.basename(path, '.yaml');
      if (!isRequestPath(path) || !concerns(request, cluster)) continue;
      const { code, message } = error;
      const { name, email } = author;
      const about = { request, path, source: source.id, commit, author: { name, email }, code, message };
      const id = `${path} ${commit}`;
      refused.set(id, { id, record: { event: 'request.refused', cluster, ...about } });
    }
  }
  return [...refused.values()];
}

/** Those that the log has not yet, and the memory in which it has them. */
export function untold(refused: readonly Refused[], memory: KeyMemory): { records: AuditRecord[]; memory: KeyMemory } {
  const before = new Set(memory.told);
  const told = [...new Set(refused.map(({ id }) => id))];
  const records = refused.filter(
    ({ id }, index) => !before.has(id) && refused.findIndex((one) => one.id === id) === index,
  );
  const isSame = told.length === before.size && told.every((id) => before.has(id));
  return { records: records.map(({ record }) => record), memory: isSame ? memory : { ...memory, told } };
}

/** Whose manifests a recipient wants to join is not in the name of its file. */
function concerns(request: string, cluster: string): boolean {
  const [, named] = /^(?:rotate|retire)-(.+)-[0-9a-f]{16}$/.exec(request) ?? [];
  return named === undefined ? request.startsWith('join-') : named === cluster;
}
