import { Bug } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { AuditLine, AuditRecord } from './record.ts';

/** An entry tile gives each a length of two bytes (C2SP tlog-tiles, "Log entries"). */
export const ENTRY_LIMIT = 0xffff;
/** UTF-16 units of one text in a record that is too large otherwise. */
const TEXT_LIMITS = [8192, 1024, 128];
/** Objects and lists within each other that a record may have; ours have 3. */
const DEEPEST = 8;
/** For the fields that the log adds. */
const ROOM = 512;

/**
 * JSON Canonicalization Scheme (RFC 8785): one way of writing, so that a record has one hash. ECMAScript's own rules for
 * strings and numbers are those of the RFC; what is left is the order of names, by UTF-16 units. (Names that are numbers, which
 * JavaScript puts first, are in no record.)
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

function inOrder(value: unknown): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Bug('a record holds a number that JSON has not');
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = value as Record<string, unknown>;
  const ordered: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(fields).sort()) ordered[name] = inOrder(fields[name]);
  return ordered;
}

/** The bytes of a record in the tree: its canonical JSON. Throws Bug where it does not fit into an entry tile. */
export function entryOf(line: AuditLine): Buffer {
  const entry = Buffer.from(canonicalJson(line));
  if (entry.length > ENTRY_LIMIT) throw new Bug('a record is larger than its tile allows');
  return entry;
}

/** The record that an entry is; undefined: it is none, or is written otherwise than we write. */
export function lineOf(entry: Buffer): AuditLine | undefined {
  const text = entry.toString('utf8');
  const value = parseJson(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value) || !isShallow(value, DEEPEST))
    return undefined;
  const { sequence, time, event } = value as Partial<AuditLine>;
  const isRecord =
    Number.isSafeInteger(sequence) && Number(sequence) > 0 && typeof time === 'string' && typeof event === 'string';
  return isRecord && canonicalJson(value) === text && Buffer.from(text).equals(entry)
    ? (value as AuditLine)
    : undefined;
}

/**
 * What is written for a record: itself, or, where it is too large for an entry tile (a manifest may have 256 entries with names of 253
 * bytes), several of the same operation that share its longest list. Texts of more than 8,192 characters are cut short.
 */
export function fitting(record: AuditRecord): AuditRecord[] {
  if (mostBytes(record) <= ENTRY_LIMIT - ROOM || sizeOf(record) <= ENTRY_LIMIT - ROOM) return [record];
  for (const limit of TEXT_LIMITS) {
    const cut = withShortTexts(record, limit) as AuditRecord;
    const halves = halved(cut);
    if (sizeOf(cut) <= ENTRY_LIMIT - ROOM) return [cut];
    if (halves !== undefined) return halves.flatMap(fitting);
  }
  throw new Bug('a record cannot be made small enough');
}

/** At most so many bytes, without writing it: a character takes up to 6 (`\u001f`), a name or a number with its marks up to 32. */
function mostBytes(value: unknown): number {
  if (typeof value === 'string') return 8 + 6 * value.length;
  if (value === null || typeof value !== 'object') return 32;
  return Object.values(value).reduce<number>((sum, field) => sum + 32 + mostBytes(field), 2);
}

function sizeOf(record: AuditRecord): number {
  return Buffer.byteLength(canonicalJson(record));
}

function withShortTexts(value: unknown, limit: number): unknown {
  if (typeof value === 'string') return value.length <= limit ? value : `${value.slice(0, limit - 1)}…`;
  if (Array.isArray(value)) return value.map((item) => withShortTexts(item, limit));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withShortTexts(field, limit)]));
}

/** The record twice, each with one half of its longest list; undefined: no list has two items. */
function halved(record: AuditRecord): AuditRecord[] | undefined {
  const lists = Object.entries(record).filter(([, field]) => Array.isArray(field) && field.length > 1);
  const sized = lists.map(([name, list]) => ({ name, list: list as string[], size: canonicalJson(list).length }));
  const longest = sized.sort((a, b) => b.size - a.size)[0];
  if (longest === undefined) return undefined;
  const middle = Math.ceil(longest.list.length / 2);
  const { name, list } = longest;
  return [list.slice(0, middle), list.slice(middle)].map((half) => ({ ...record, [name]: half }));
}

/** So that no entry, however it nests, is walked without a bound. */
function isShallow(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return true;
  return levels > 0 && Object.values(value).every((field) => isShallow(field, levels - 1));
}
