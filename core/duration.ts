import { Bug } from './errors.ts';

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration as the schema allows it (`DURATION` of schemas/grammar.ts): `250ms`, `30s`, `90d`. */
export function milliseconds(duration: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,5})(ms|s|m|h|d)$/.exec(duration) ?? [];
  if (count === undefined || unit === undefined) throw new Bug('a duration that the schema refuses');
  return Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

/** Milliseconds: a longer timer of Node's fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;
