import { reachesGitFolder } from '../trees/path.ts';
import type { Problem } from './problem.ts';

/** In bytes: a folder of 200,000 files. Whoever compares such folders must hold several of them. */
const LONGEST = 8 * 2 ** 20;
const OID_BYTES = 20;
const SPACE = 0x20;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO_DIGIT = 0x30;
const BACKSLASH = 0x5c;
const FOLDER = 0o40000;
/** What git writes, and 100664, which it wrote long ago. */
const MODES: ReadonlySet<number> = new Set([FOLDER, 0o100644, 0o100755, 0o100664, 0o120000, 0o160000]);

interface Entry {
  mode: number;
  start: number;
  end: number;
}

/**
 * As fsck_tree. Nothing is allocated for an entry: a history has thousands of versions of one folder with thousands of files.
 */
export function treeProblems(bytes: Buffer): ReadonlySet<Problem> {
  const found = new Set<Problem>();
  if (bytes.length > LONGEST) return found.add('treeTooLong');
  let previous: Entry | undefined;
  /** Files whose name the entries since then begin with: only behind those can a folder of the same name stand. */
  const prefixes: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const entry = readEntry(bytes, at);
    if (entry === undefined) return found.add('badTree');
    if (bytes[at] === ZERO_DIGIT) found.add('zeroPaddedFilemode');
    if (!MODES.has(entry.mode)) found.add('badFilemode');
    nameProblems(bytes, entry, found);
    at = entry.end + 1 + OID_BYTES;
    if (isNull(bytes, entry.end + 1)) found.add('nullSha1');
    if (previous !== undefined) {
      const order = compare(bytes, previous, entry);
      if (order === 0) found.add('duplicateEntries');
      if (order > 0) found.add('treeNotSorted');
      if (beginsWith(bytes, entry, previous)) prefixes.push(previous);
    }
    for (let last = prefixes.at(-1); last !== undefined && !beginsWith(bytes, entry, last); last = prefixes.at(-1)) {
      prefixes.pop();
    }
    if (prefixes.some((prefix) => prefix.end - prefix.start === entry.end - entry.start)) found.add('duplicateEntries');
    previous = entry;
  }
  return found;
}

function readEntry(bytes: Buffer, at: number): Entry | undefined {
  let mode = 0;
  let start = at;
  for (; bytes[start] !== SPACE; start++) {
    const digit = (bytes[start] ?? 0) - ZERO_DIGIT;
    if (digit < 0 || digit > 7 || start - at > 10) return undefined;
    mode = mode * 8 + digit;
  }
  if (start === at) return undefined;
  start++;
  const end = bytes.indexOf(0, start);
  return end <= start || end + 1 + OID_BYTES > bytes.length ? undefined : { mode, start, end };
}

function nameProblems(bytes: Buffer, { start, end }: Entry, found: Set<Problem>): void {
  const first = bytes[start] ?? 0;
  // `.git`, `git~1`, and what HFS+ ignores before them (U+200C…, U+FEFF).
  let isSuspicious = first === DOT || (first | 0x20) === 0x67 || first === 0xe2 || first === 0xef;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === SLASH) found.add('fullPathname');
    else if (byte === BACKSLASH) isSuspicious = true;
  }
  if (!isSuspicious) return;
  const name = bytes.toString('utf8', start, end);
  if (name === '.') found.add('hasDot');
  else if (name === '..') found.add('hasDotdot');
  else if (reachesGitFolder(name)) found.add('hasDotgit');
}

function isNull(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + OID_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Git sorts a folder as if its name ended in a slash. */
function compare(bytes: Buffer, a: Entry, b: Entry): number {
  const shorter = Math.min(a.end - a.start, b.end - b.start);
  for (let i = 0; i < shorter; i++) {
    const difference = (bytes[a.start + i] ?? 0) - (bytes[b.start + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return after(bytes, a, shorter) - after(bytes, b, shorter);
}

function after(bytes: Buffer, { mode, start, end }: Entry, length: number): number {
  if (start + length < end) return bytes[start + length] ?? 0;
  return mode === FOLDER ? SLASH : 0;
}

function beginsWith(bytes: Buffer, entry: Entry, prefix: Entry): boolean {
  const length = prefix.end - prefix.start;
  if (prefix.mode === FOLDER || entry.end - entry.start < length) return false;
  // Mostly they end otherwise, and no call is needed to see that.
  if (bytes[prefix.end - 1] !== bytes[entry.start + length - 1]) return false;
  return bytes.compare(bytes, prefix.start, prefix.end, entry.start, entry.start + length) === 0;
}
