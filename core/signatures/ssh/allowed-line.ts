import type { Refuse } from '../refusal.ts';
import { readKeyText } from './key-text.ts';
import { isKeyType, type PublicKey, readPublicKey } from './public-key.ts';

/** A line of allowed_signers. Times are in seconds since 1970; both ends are included. */
export interface AllowedSigner {
  /** A list of patterns, as it stands there. */
  principals: string;
  key: PublicKey;
  isAuthority: boolean;
  /** A list of patterns; absent: every namespace. */
  namespaces?: string;
  validAfter?: number;
  validBefore?: number;
}

type Options = Pick<AllowedSigner, 'isAuthority' | 'namespaces' | 'validAfter' | 'validBefore'>;

/**
 * Reads `PRINCIPALS [OPTIONS] TYPE BASE64 [COMMENT]`, ALLOWED SIGNERS of ssh-keygen(1). `line` is neither empty nor a
 * comment and has no blanks around it.
 */
export function readAllowedLine(line: string, refuse: Refuse): AllowedSigner {
  const { principals, rest } = splitPrincipals(line, refuse);
  const [first = ''] = rest.split(/[ \t]/, 1);
  const length = isKeyType(first) ? 0 : optionsLength(rest);
  const options = readOptions(rest.slice(0, length), refuse);
  const key = readPublicKey(readKeyText(rest.slice(length).trimStart(), refuse), refuse);
  return { principals, key, ...options };
}

function splitPrincipals(line: string, refuse: Refuse): { principals: string; rest: string } {
  const [, quoted, plain, rest] = /^(?:"([^"]+)"|([^\s"]+))[ \t]+(.+)$/.exec(line) ?? [];
  const principals = quoted ?? plain;
  if (principals === undefined || rest === undefined)
    throw refuse('another form than `PRINCIPALS [OPTIONS] TYPE BASE64`');
  for (const pattern of principals.split(',')) {
    if (pattern === '' || pattern === '!') throw refuse('an empty principal');
    if (pattern.length > 1000) throw refuse('a principal of more than 1,000 characters');
  }
  return { principals, rest };
}

/** Options end at the first blank that is not in quotes, where `\"` is no quote. */
function optionsLength(text: string): number {
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\' && text[at + 1] === '"') at += 1;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (text[at] === ' ' || text[at] === '\t')) return at;
  }
  return text.length;
}

/** An option and the comma behind it. */
const OPTION = /([A-Za-z-]+)(?:="((?:[^"\\]|\\"|\\(?!"))*)")?(?:,|$)/y;

function readOptions(text: string, refuse: Refuse): Options {
  const found = new Map<string, string | undefined>();
  if (text.endsWith(',')) throw refuse('options that end in a comma');
  for (OPTION.lastIndex = 0; OPTION.lastIndex < text.length; ) {
    const [, name, value] = OPTION.exec(text) ?? [];
    if (name === undefined) throw refuse('options that are not `NAME` or `NAME="VALUE"`');
    const known = name.toLowerCase();
    if (found.has(known)) throw refuse('an option twice');
    found.set(known, value?.replaceAll('\\"', '"'));
  }
  const options: Options = { isAuthority: false };
  for (const [name, value] of found) {
    if (name === 'cert-authority' && value === undefined) options.isAuthority = true;
    else if (name === 'namespaces' && value !== undefined) options.namespaces = value;
    else if (name === 'valid-after' && value !== undefined) options.validAfter = readTime(value, refuse);
    else if (name === 'valid-before' && value !== undefined) options.validBefore = readTime(value, refuse);
    else throw refuse('an option that allowed_signers does not have, or a key of a type that coffer does not know');
  }
  const { validAfter, validBefore } = options;
  if (validAfter !== undefined && validBefore !== undefined && validBefore <= validAfter) {
    throw refuse('a valid-before that is not later than its valid-after');
  }
  return options;
}

const TIME = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z|UTC)?$/i;

/** YYYYMMDD[HHMM[SS]][Z], without Z in the time zone of this process, as ssh-keygen has it. */
function readTime(text: string, refuse: Refuse): number {
  const [, ...groups] = TIME.exec(text) ?? [];
  const zone = groups.pop();
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = groups.map((digits) => Number(digits ?? 0));
  const isUtc = zone !== undefined;
  const time = isUtc
    ? new Date(Date.UTC(year, month - 1, day, hour, minute, second))
    : new Date(year, month - 1, day, hour, minute, second);
  const isReal = isUtc
    ? time.getUTCMonth() === month - 1 && time.getUTCDate() === day
    : time.getMonth() === month - 1 && time.getDate() === day;
  if (year < 1971 || !isReal || hour > 23 || minute > 59 || second > 59) throw refuse('a time that does not exist');
  return time.getTime() / 1000;
}
