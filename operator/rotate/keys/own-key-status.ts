import { keyDue } from '../../../core/keys/key-due.ts';
import type { Recipient, RecipientKey } from '../../../core/keys/recipient.ts';
import type { OwnKeyStatus } from '../../status/status.ts';

export interface KeysSeen {
  /** As the keyrings list this cluster. */
  own: Recipient;
  /** The key that is to follow the newest one. */
  made: RecipientKey | undefined;
  /** Ids of the keys in the store. */
  held: ReadonlySet<string>;
  /** Kid → stanzas in the accepted states; undefined: not counted. */
  counts: ReadonlyMap<string, number> | undefined;
  /** Kid → when it may be deleted as asked, in milliseconds since 1970. */
  waiting: ReadonlyMap<string, number>;
}

/** What people see of this cluster's keys, newest first. Keys that were deleted are history. */
export function ownKeyStatus({ own, made, held, counts, waiting }: KeysSeen): OwnKeyStatus[] {
  const isListed = own.keys.some(({ kid }) => kid === made?.kid);
  const due = keyDue(own)?.toISOString();
  const pending = made === undefined || isListed ? [] : [{ ...made, status: 'pending' as const }];
  return [...pending, ...own.keys]
    .filter(({ kid, status }) => held.has(kid) || status === 'active' || status === 'pending')
    .map(({ kid, status, created }) => ({
      id: kid,
      status,
      created,
      ...(status === 'active' && due !== undefined ? { due } : {}),
      ...deletion(waiting.get(kid)),
      ...(counts === undefined ? {} : { stanzas: counts.get(kid) ?? 0 }),
    }));
}

function deletion(after: number | undefined): Pick<OwnKeyStatus, 'deleteAfter'> {
  return after === undefined ? {} : { deleteAfter: new Date(after).toISOString() };
}
