import { CofferError } from '../../errors.ts';

export interface SignedObject {
  oid: string;
  type: 'commit' | 'tag';
  /** The bytes that were signed. */
  payload: Buffer;
  signature?: { format: SignatureFormat; text: Buffer };
  /** Of a tag: what it is called, which a ref need not agree with, and the object that it names. */
  tag?: { name: string; target: string; targetType: string };
}

export type SignatureFormat = 'ssh' | 'openpgp' | 'x509';

/** `end` is behind the line end of the last continuation line; `value` is where the text behind the name begins. */
interface Header {
  name: string;
  start: number;
  value: number;
  end: number;
}

const LF = 0x0a;
const SPACE = 0x20;
/** Signatures of people and forges have 300 to 1,500 bytes. */
const LARGEST_SIGNATURE = 64 * 1024;
/** An octopus merge has a `parent` and perhaps a `mergetag` for each branch; the largest known merged 66. */
const MOST_HEADERS = 10_000;
const OID = /^[0-9a-f]{40}$/;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9:._-]{0,63}$/;
/** What git takes for the beginning of a signature (gpg-interface.c); it compares only the beginning of the line. */
const OPENERS = ['PGP SIGNATURE', 'PGP MESSAGE', 'SIGNED MESSAGE', 'SSH SIGNATURE'].map(
  (kind) => `-----BEGIN ${kind}-----`,
);
const FORMATS = new Map<string, SignatureFormat>([
  ['PGP SIGNATURE', 'openpgp'],
  ['SIGNED MESSAGE', 'x509'],
  ['SSH SIGNATURE', 'ssh'],
]);

/**
 * Takes a commit or an annotated tag apart into what was signed and the signature, as git does
 * (git's signature-format page), but from one grammar only: every byte is either signed or part of the one signature.
 * What git reads leniently, and another reader could read differently, is refused.
 *
 * `bytes`: the object without its `commit SIZE\0`.
 *
 * @throws CofferError GIT_OBJECT_MALFORMED, SIGNATURE_HEADER
 */
export function readSigned(type: 'commit' | 'tag', oid: string, bytes: Buffer): SignedObject {
  return type === 'commit' ? readCommit(oid, bytes) : readTag(oid, bytes);
}

/** Headers in front of a commit's signature, each once; others that git does not know may follow `committer`. */
const COMMIT_ORDER = ['tree', 'author', 'committer'];
/** JGit writes `encoding` behind the signature; all else stands in front of it, wherever it was made. */
const AFTER_SIGNATURE = new Set(['encoding', 'gpgsig-sha256']);

function readCommit(oid: string, bytes: Buffer): SignedObject {
  const all = headersOf('commit', oid, bytes);
  const seen = new Set<string>();
  for (const { name, start, value, end } of all) {
    const place = COMMIT_ORDER.indexOf(name);
    const isParent = name === 'parent';
    if (seen.has(name) && !isParent && name !== 'mergetag') throw malformed('commit', oid, `has two headers ${name}`);
    const isDue = isParent
      ? seen.has('tree') && !seen.has('author')
      : COMMIT_ORDER.slice(0, place < 0 ? undefined : place).every((earlier) => seen.has(earlier));
    if (!isDue) throw malformed('commit', oid, 'has its headers in another order than git writes');
    if (isParent || name === 'tree') requireOid('commit', oid, bytes.toString('latin1', value, end - 1));
    if (isParent || place >= 0 || name === 'encoding') requireOneLine('commit', oid, bytes.subarray(start, end));
    if (name.startsWith('gpgsig') && name !== 'gpgsig' && name !== 'gpgsig-sha256') {
      throw badHeader('commit', oid, 'has a header beside gpgsig that git would leave out of what was signed');
    }
    if (seen.has('gpgsig') && !AFTER_SIGNATURE.has(name)) {
      throw badHeader('commit', oid, 'has a header behind its signature that belongs in front of it');
    }
    seen.add(name);
  }
  if (!seen.has('committer')) throw malformed('commit', oid, 'lacks a header that git always writes');
  return splitCommit(oid, bytes, all);
}

/** Git leaves both kinds of signature out of what either of them signs. */
function splitCommit(oid: string, bytes: Buffer, all: readonly Header[]): SignedObject {
  const pieces: Buffer[] = [];
  let kept = 0;
  let signature: SignedObject['signature'];
  for (const { name, start, value, end } of all) {
    if (name !== 'gpgsig' && name !== 'gpgsig-sha256') continue;
    pieces.push(bytes.subarray(kept, start));
    kept = end;
    const found = readSignature('commit', oid, bytes.subarray(value, end));
    if (name === 'gpgsig') signature = found;
  }
  const payload = Buffer.concat([...pieces, bytes.subarray(kept)]);
  return { oid, type: 'commit', payload, ...(signature && { signature }) };
}

/** A tag's signature ends its message; git looks for the last line that begins one, wherever it is. */
function readTag(oid: string, bytes: Buffer): SignedObject {
  const all = headersOf('tag', oid, bytes);
  const expected = ['object', 'type', 'tag', 'tagger'];
  for (const [index, { name, start, end }] of all.entries()) {
    if (name.startsWith('gpgsig')) throw badHeader('tag', oid, 'has a signature among its headers');
    if (name !== expected[index]) throw malformed('tag', oid, 'has its headers in another order than git writes');
    requireOneLine('tag', oid, bytes.subarray(start, end));
  }
  const [target = '', targetType = '', name] = all.map(({ value, end }) => bytes.toString('utf8', value, end - 1));
  requireOid('tag', oid, target);
  if (name === undefined) throw malformed('tag', oid, 'lacks a header that git always writes');
  const tag = { name, target, targetType };
  const body = (all.at(-1)?.end ?? 0) + 1;
  const starts = OPENERS.map((opener) => bytes.indexOf(`\n${opener}`, body - 1)).filter((at) => at >= 0);
  if (starts.length === 0) return { oid, type: 'tag', payload: bytes, tag };
  const start = Math.min(...starts) + 1;
  const signature = readSignature('tag', oid, bytes.subarray(start));
  return { oid, type: 'tag', payload: bytes.subarray(0, start), signature, tag };
}

function headersOf(type: SignedObject['type'], oid: string, bytes: Buffer): Header[] {
  const close = bytes.indexOf('\n\n');
  if (close < 0) throw malformed(type, oid, 'has no end of its headers');
  if (bytes.subarray(0, close).includes(0)) throw malformed(type, oid, 'has a NUL among its headers');
  const all: Header[] = [];
  for (let at = 0; at <= close; ) {
    const end = bytes.indexOf(LF, at) + 1;
    const last = all.at(-1);
    if (bytes[at] === SPACE && last !== undefined) last.end = end;
    else {
      const space = bytes.subarray(at, end).indexOf(SPACE);
      const name = space < 0 ? '' : bytes.toString('latin1', at, at + space);
      if (!HEADER_NAME.test(name)) throw malformed(type, oid, 'has a header that is none');
      if (all.push({ name, start: at, value: at + space + 1, end }) > MOST_HEADERS) {
        throw malformed(type, oid, 'has more headers than anybody needs');
      }
    }
    at = end;
  }
  return all;
}

function requireOid(type: SignedObject['type'], oid: string, text: string): void {
  if (!OID.test(text)) throw malformed(type, oid, 'names another object in a way that git does not');
}

function requireOneLine(type: SignedObject['type'], oid: string, header: Buffer): void {
  const isOneLine = header.indexOf(LF) === header.length - 1 && !header.includes('\r');
  if (!isOneLine) throw malformed(type, oid, 'has a header of more lines than git writes');
}

/**
 * One armored block from the first byte to the last, but for empty lines at its end, which GitHub writes. In a commit its
 * lines are indented. Carriage returns are let through where jj on Windows leaves them: in all lines of gpg's.
 */
function readSignature(
  type: SignedObject['type'],
  oid: string,
  raw: Buffer,
): { format: SignatureFormat; text: Buffer } {
  if (raw.length > LARGEST_SIGNATURE) throw badHeader(type, oid, 'has a signature of more than 64 KiB');
  const armor = raw.toString('latin1');
  const text = type === 'commit' ? armor.replaceAll('\n ', '\n') : armor;
  let length = text.length;
  while (text[length - 1] === '\n') length -= 1;
  const written = text.slice(0, length).split('\n');
  const isOfWindows = written.every((line) => line.endsWith('\r'));
  const lines = isOfWindows ? written.map((line) => line.slice(0, -1)) : written;
  const kind = /^-----BEGIN ([A-Z ]{1,20})-----$/.exec(lines[0] ?? '')?.[1];
  const format = kind === undefined ? undefined : FORMATS.get(kind);
  if (format === undefined) throw badHeader(type, oid, 'has a signature of a kind that git does not write');
  const isOneBlock = lines.findIndex((line, index) => index > 0 && line.startsWith('-----')) === lines.length - 1;
  if (!isOneBlock || lines.at(-1) !== `-----END ${kind}-----`) {
    throw badHeader(type, oid, 'has something behind its signature, or two of them, or half of one');
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: armor has none of these, and gpg and others differ on them
  if (lines.some((line) => /[\u0000-\u001f\u007f]/.test(line)) || (isOfWindows && format !== 'openpgp')) {
    throw badHeader(type, oid, 'has a signature with characters that git does not write');
  }
  return { format, text: Buffer.from(`${lines.join('\n')}\n`, 'latin1') };
}

function malformed(type: SignedObject['type'], oid: string, what: string): CofferError {
  return new CofferError('GIT_OBJECT_MALFORMED', `the ${type} ${oid} ${what}`, {
    advice: 'Run `git fsck` there, and push another commit.',
    data: { commit: oid },
  });
}

function badHeader(type: SignedObject['type'], oid: string, what: string): CofferError {
  return new CofferError('SIGNATURE_HEADER', `the ${type} ${oid} ${what}`, {
    advice:
      'Do not take it: git writes no such thing. Make the commit or tag again with `git commit -S` or `git tag -s`.',
    data: { commit: oid },
  });
}
