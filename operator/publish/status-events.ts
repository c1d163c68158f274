import type { EncryptedSecretStatus } from '../../schemas/crd/encrypted-secret.ts';
import type { EventToEmit } from '../kubernetes/events.ts';
import type { StoredStatus } from './stored-status.ts';

export type StatusEvent = Pick<EventToEmit, 'type' | 'reason' | 'action' | 'note'>;

/** Conditions that people want to hear of; the others repeat them. */
const TOLD: ReadonlySet<string> = new Set(['Ready', 'Verified']);

/**
 * What is news in a status, beside the one before: a condition that turned, or is so for another reason, and a newer commit. So
 * there is one Event a change, and none for a retry or a restart. That something new is well is no news either: thousands may
 * come at once.
 */
export function eventsOf(before: StoredStatus, { conditions = [], commit }: EncryptedSecretStatus): StatusEvent[] {
  const events: StatusEvent[] = [];
  for (const { type, status, reason, message } of conditions) {
    const stored = before.conditions.find((condition) => condition.type === type);
    const isTurn = stored?.status !== status || stored.reason !== reason;
    const isNewer = type === 'Ready' && status === 'True' && commit !== before.commit;
    if (!TOLD.has(type) || status === 'Unknown' || !(isTurn || isNewer)) continue;
    if (status === 'True' && stored === undefined) continue;
    events.push({
      type: status === 'True' ? 'Normal' : 'Warning',
      reason,
      action: type === 'Ready' ? 'Project' : 'Verify',
      note: type === 'Ready' && commit !== undefined ? `${message} Commit ${commit}.` : message,
    });
  }
  return events;
}
