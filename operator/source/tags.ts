import { matchesWildcard } from '../../core/wildcard.ts';

/**
 * The highest version of those names that match a glob (`*`, `?`; a slash is a character like others). Digits count as
 * numbers, so `v1.10` is above `v1.9`; what a `-` introduces comes before the version itself, as in semver, so `v2.0-rc.1` is
 * below `v2.0`. `undefined`: none matches.
 */
export function highestTag(names: Iterable<string>, glob: string): string | undefined {
  let highest: string | undefined;
  for (const name of names) {
    if (!matchesWildcard(glob, name)) continue;
    if (highest === undefined || compareVersions(name, highest) > 0) highest = name;
  }
  return highest;
}

const RUN = /\d+|\D/g;
const DIGITS = /^\d/;

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.match(RUN) ?? [], b.match(RUN) ?? []];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareRuns(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  if (left.length === right.length) return compareText(a, b);
  const [longer, sign] = left.length > right.length ? [left, 1] : [right, -1];
  return longer[Math.min(left.length, right.length)] === '-' ? -sign : sign;
}

/** A number is above a `-`, and a `-` below all else: `1.0.1` > `1.0` > `1.0-rc`. */
function compareRuns(a: string, b: string): number {
  if (DIGITS.test(a) && DIGITS.test(b)) return compareNumbers(a, b);
  if (a === '-' || b === '-') return a === b ? 0 : a === '-' ? -1 : 1;
  return compareText(a, b);
}

/** Of any length: no number type holds every tag's. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
