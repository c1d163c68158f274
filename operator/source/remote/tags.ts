import { matchesWildcard } from '../../../core/wildcard.ts';

/** Longer names are no versions, and cost what a server likes. */
const LONGEST = 255;

/**
 * Whether a tag's name matches a glob (`*`, `?`; a slash is a character like others) and is of a higher version than another
 * that does. Digits count as numbers, so `v1.10` is above `v1.9`; what a `-` introduces comes before the version itself, as in
 * semver, so `v2.0-rc.1` is below `v2.0`.
 */
export function isHigherTag(name: string, than: string | undefined, glob: string): boolean {
  if (name.length > LONGEST || !matchesWildcard(glob, name)) return false;
  return than === undefined || compareVersions(name, than) > 0;
}

/** The highest version of those names that match a glob; `undefined`: none does. */
export function highestTag(names: Iterable<string>, glob: string): string | undefined {
  let highest: string | undefined;
  for (const name of names) if (isHigherTag(name, highest, glob)) highest = name;
  return highest;
}

/** Character by character, and no further than they are alike: a server may name a million. */
function compareVersions(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (isDigit(a, i) && isDigit(b, j)) {
      const [left, right] = [digitsAt(a, i), digitsAt(b, j)];
      const order = compareNumbers(left, right);
      if (order !== 0) return order;
      i += left.length;
      j += right.length;
    } else {
      const order = compareCharacters(a.charAt(i++), b.charAt(j++));
      if (order !== 0) return order;
    }
  }
  if (i === a.length && j === b.length) return compareText(a, b);
  return i < a.length ? ofTheLonger(a.charAt(i)) : -ofTheLonger(b.charAt(j));
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function digitsAt(text: string, at: number): string {
  let end = at;
  while (isDigit(text, end)) end++;
  return text.slice(at, end);
}

/** `1.0.1` > `1.0` > `1.0-rc`. */
function ofTheLonger(next: string): number {
  return next === '-' ? -1 : 1;
}

function compareCharacters(a: string, b: string): number {
  if (a !== b && (a === '-' || b === '-')) return a === '-' ? -1 : 1;
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
