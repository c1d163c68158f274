import type { ObjectMeta } from '../../kubernetes/resource.ts';
import { SUSPEND_UNTIL } from './marks.ts';

/** Milliseconds. Who needs longer changes the manifest, or asks again. */
export const LONGEST_SUSPENSION = 24 * 60 * 60 * 1000;

/** With its offset: a time without one is read differently in every place. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[-+]\d{2}:\d{2})$/;

/** What a person asks of the operator on a Secret. */
export type Suspension =
  | { kind: 'none' }
  | { kind: 'until'; time: number }
  /** It is no time, or one that is too far away: it counts as if it were not there. */
  | { kind: 'wrong' };

/** `now` in milliseconds since the epoch. A time that has passed is one until which nothing is suspended any more. */
export function suspensionOf({ annotations }: ObjectMeta, now: number): Suspension {
  const text = annotations?.[SUSPEND_UNTIL];
  if (text === undefined) return { kind: 'none' };
  const time = RFC_3339.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  if (Number.isNaN(time) || time - now > LONGEST_SUSPENSION) return { kind: 'wrong' };
  return { kind: 'until', time };
}
