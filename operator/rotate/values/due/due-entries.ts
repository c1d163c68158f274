import type { AuditActor } from '../../../../core/audit/record.ts';
import { previousOf } from '../../../../core/format/manifest/rotation.ts';
import { dueOf, previousDueOf } from '../../../../core/values/due.ts';
import { formerDue } from '../../../../core/values/plan.ts';
import type { RotatingManifest } from '../rotating-manifests.ts';
import type { AskedValue } from './asked-values.ts';
import type { FirstSeen } from './first-seen.ts';

export interface DueOptions {
  source: string;
  seen: FirstSeen;
  now: Date;
  /** Whether the current value is one that somebody else could have opened. `text`: digest of what stands there. */
  exposed: (namespace: string, name: string, entry: string, text: string) => boolean;
  asked: readonly AskedValue[];
}

/** What is to be made, of one manifest. */
export interface Wanted {
  entries: readonly string[];
  rotator?: string;
  isExposed: boolean;
  /** Who asked for it. */
  asker?: AuditActor;
}

export interface DueEntries {
  /** What to begin with: one thing at a time for each manifest. Undefined: nothing. */
  next: (Wanted & { isUrgent: boolean }) | undefined;
  /** All whose value is due. */
  count: number;
  /** Due, and neither generated nor changed by a rotator. */
  byHand: string[];
  /** Milliseconds until the next value, or former value, is due. */
  again: number;
  /** Entries whose former value has stayed for as long as it was to, rotators' too. */
  former: string[];
}

/** What of a manifest is due. */
export function dueEntries(row: RotatingManifest, { source, seen, now, exposed, asked }: DueOptions): DueEntries {
  const due: { entry: string; isExposed: boolean; isUrgent: boolean; asker?: AuditActor }[] = [];
  let again = Number.POSITIVE_INFINITY;
  for (const entry of row.rotation.keys()) {
    const isExposed = exposed(row.namespace, row.name, entry, row.entries.get(entry) ?? '');
    const found = dueOf(row, entry, { since: seen.of(source, row, entry), now, exposed: isExposed });
    const asker = asked.find((word) => isOf(word, row, entry))?.actor;
    if (asker !== undefined) due.push({ entry, isExposed, isUrgent: true, asker });
    else if (found?.isDue === true) due.push({ entry, isExposed, isUrgent: found.reason !== 'age' });
    const since = seen.of(source, row, previousOf(entry));
    for (const later of [found, previousDueOf(row, entry, { since, now })]) {
      if (later?.isDue === false && later.due !== undefined)
        again = Math.min(again, later.due.getTime() - now.getTime());
    }
  }
  const kindOf = (entry: string) => row.rotation.get(entry);
  const generated = due.filter(({ entry }) => kindOf(entry)?.generate !== undefined);
  const [turned] = due.filter(({ entry }) => kindOf(entry)?.rotator !== undefined);
  const rotator = turned === undefined ? undefined : kindOf(turned.entry)?.rotator;
  const chosen = generated.length > 0 ? generated : turned === undefined ? [] : [turned];
  const next = {
    entries: chosen.map(({ entry }) => entry),
    ...(generated.length > 0 || rotator === undefined ? {} : { rotator }),
    isExposed: chosen.some(({ isExposed }) => isExposed),
    isUrgent: chosen.some(({ isUrgent }) => isUrgent),
    ...askerOf(chosen),
  };
  const byHand = due.flatMap(({ entry }) =>
    kindOf(entry)?.generate === undefined && kindOf(entry)?.rotator === undefined ? [entry] : [],
  );
  return {
    next: chosen.length === 0 ? undefined : next,
    count: due.length,
    byHand,
    former: formerOf(row, { source, seen, now }),
    again,
  };
}

function formerOf(row: RotatingManifest, { source, seen, now }: Pick<DueOptions, 'source' | 'seen' | 'now'>): string[] {
  const times = Array.from(row.entries.keys(), (entry) => [entry, seen.of(source, row, entry)] as const);
  const since = new Map(times.flatMap(([entry, time]) => (time === undefined ? [] : [[entry, time] as const])));
  return formerDue(row, { since, now });
}

function isOf(word: AskedValue, { namespace, name }: RotatingManifest, entry: string): boolean {
  return word.namespace === namespace && word.name === name && word.entry === entry;
}

function askerOf(chosen: readonly { asker?: AuditActor }[]): { asker?: AuditActor } {
  const asker = chosen.find((one) => one.asker !== undefined)?.asker;
  return asker === undefined ? {} : { asker };
}
