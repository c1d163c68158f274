import { CofferError } from '../../errors.ts';
import { isLegalName, printableName } from './path.ts';

export interface TreeEntry {
  name: string;
  /** Octal, as git writes it: see `MODE`. */
  mode: string;
  oid: string;
}

export const MODE = { tree: '40000', file: '100644', executable: '100755', symlink: '120000', submodule: '160000' };

export function isTree(entry: { mode: string }): boolean {
  return entry.mode === MODE.tree;
}

/** Regular files; old git versions also wrote `100664`. */
export function isFile(entry: { mode: string }): boolean {
  return entry.mode.startsWith('100');
}

export interface Tree {
  /** In git's order. */
  entries: TreeEntry[];
  /** Names that are not legal (core/git/trees/path.ts) or stand there twice, printable. Their entries are left out. */
  refused: string[];
}

const ZERO = 0;
const SPACE = 0x20;
const OID_BYTES = 20;

/** Reads a tree object: for each entry `MODE SP NAME NUL` and 20 bytes of object id. Throws `GIT_OBJECT_MALFORMED`. */
export function parseTree(bytes: Buffer, start = 0, end = bytes.length): Tree {
  const entries: TreeEntry[] = [];
  const refused: string[] = [];
  const names = new Set<string>();
  for (let at = start; at < end; ) {
    const space = bytes.indexOf(SPACE, at);
    const zero = bytes.indexOf(ZERO, at);
    const next = zero + 1 + OID_BYTES;
    if (space < 0 || zero < space || next > end) throw malformed();
    const name = bytes.toString('utf8', space + 1, zero);
    if (!isLegalName(name) || names.has(name)) refused.push(printableName(name));
    else entries.push({ name, mode: modeAt(bytes, at, space), oid: bytes.toString('hex', zero + 1, next) });
    names.add(name);
    at = next;
  }
  return { entries, refused };
}

export interface RawEntry {
  name: Buffer;
  mode: string;
  /** Of the entry in the tree, its id included. */
  start: number;
  end: number;
}

/** The entries as they stand, whatever their names. Throws `GIT_OBJECT_MALFORMED`. */
export function* rawEntries(bytes: Buffer): Generator<RawEntry> {
  for (let start = 0, end = 0; start < bytes.length; start = end) {
    const space = bytes.indexOf(SPACE, start);
    const zero = bytes.indexOf(ZERO, start);
    end = zero + 1 + OID_BYTES;
    if (space < 0 || zero < space || end > bytes.length) throw malformed();
    yield { name: bytes.subarray(space + 1, zero), mode: modeAt(bytes, start, space), start, end };
  }
}

/** The entry of a legal name, in one pass and without making the others. */
export function findEntry(bytes: Buffer, name: string): TreeEntry | undefined {
  const wanted = Buffer.from(name);
  for (let at = 0; at < bytes.length; ) {
    const next = entryEnd(bytes, at);
    const start = next - OID_BYTES - 1 - wanted.length;
    // The mode and its space stand before the name; in a name there may be spaces too.
    if (bytes[start - 1] === SPACE && bytes.indexOf(SPACE, at) === start - 1) {
      if (bytes.compare(wanted, 0, wanted.length, start, start + wanted.length) === 0) {
        return parseTree(bytes, at, next).entries[0];
      }
    }
    at = next;
  }
  return undefined;
}

/** Every entry's place by its name, the first of each: what findEntry finds, for many names at once. */
export function entryPlaces(bytes: Buffer): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const { name, start } of rawEntries(bytes)) {
    const text = name.toString('utf8');
    if (!places.has(text)) places.set(text, start);
  }
  return places;
}

/** The entry that begins there; `undefined` where its name is not legal. */
export function entryFrom(bytes: Buffer, place: number): TreeEntry | undefined {
  return parseTree(bytes, place, entryEnd(bytes, place)).entries[0];
}

/**
 * The entries of two trees without those that both begin and end with: a folder of 10,000 files of which one changed is
 * compared without making 20,000 names and ids.
 */
export function differingEntries(a: Buffer, b: Buffer): { removed: Tree; added: Tree } {
  const range = differingRange(a, b);
  return { removed: parseTree(a, ...range.a), added: parseTree(b, ...range.b) };
}

/**
 * Where two trees begin and cease to differ, as offsets at entry boundaries of each: what lies before and after is the same
 * in both.
 */
function differingRange(a: Buffer, b: Buffer): { a: [number, number]; b: [number, number] } {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter) {
    const next = entryEnd(a, start);
    if (next > shorter || a.compare(b, start, next, start, next) !== 0) break;
    start = next;
  }
  // Backwards there are no boundaries to be seen: find the first boundary of the common end by walking on from `start`.
  let common = 0;
  while (common < shorter - start && a[a.length - 1 - common] === b[b.length - 1 - common]) common++;
  const endOfA = boundaryFrom(a, start, a.length - common);
  const endOfB = boundaryFrom(b, start, b.length - common);
  const tail = Math.min(a.length - endOfA, b.length - endOfB);
  const ends = { a: boundaryFrom(a, start, a.length - tail), b: boundaryFrom(b, start, b.length - tail) };
  // Ids may hold any bytes, so that the two walks could fall out of step: then the rest is compared entry by entry.
  if (a.length - ends.a !== b.length - ends.b) return { a: [start, a.length], b: [start, b.length] };
  return { a: [start, ends.a], b: [start, ends.b] };
}

/** The first boundary at or after `least`, walking from the boundary `at`. */
function boundaryFrom(bytes: Buffer, at: number, least: number): number {
  let boundary = at;
  while (boundary < least) boundary = entryEnd(bytes, boundary);
  return boundary;
}

/** Some old programs padded the mode of a folder with a zero, which git reads as if it were not there. */
function modeAt(bytes: Buffer, start: number, end: number): string {
  const mode = bytes.toString('latin1', start, end);
  return mode.startsWith('0') ? mode.replace(/^0+/, '') : mode;
}

function entryEnd(bytes: Buffer, at: number): number {
  const zero = bytes.indexOf(ZERO, at);
  const next = zero + 1 + OID_BYTES;
  if (zero < 0 || next > bytes.length) throw malformed();
  return next;
}

function malformed(): CofferError {
  return new CofferError('GIT_OBJECT_MALFORMED', 'a tree in the repository is torn', {
    advice: 'Run `git fsck` there, and push a commit without it.',
  });
}
