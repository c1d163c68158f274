import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { GitFault } from '../../servers/evil-git.ts';
import { packet, sideBand } from './hostile-pack.ts';
import { type Case, endure } from './trial.ts';

const FLUSH = Buffer.from('0000');
const OID = '12'.repeat(20);
const ESCAPES = '\u001b[2J\u001b]0;owned\u0007';
const GARBLED = /^SOURCE_(PROTOCOL|INCOMPLETE)$/;

/** The list of refs is another. `lines`: as git sends them, the first with its capabilities. */
function list(
  code: string | RegExp | undefined,
  change: (lines: string[]) => (string | Uint8Array)[],
  isEnded = true,
): Case {
  return {
    ...(code === undefined ? {} : { code }),
    spoil: (team) =>
      team.fault({
        kind: 'spoil',
        of: 'advertisement',
        change: (answer) => {
          const [service = '', ...lines] = packets(answer);
          const changed = change(lines).map((line) => (typeof line === 'string' ? packet(line) : Buffer.from(line)));
          return Buffer.concat([packet(service), FLUSH, ...changed, ...(isEnded ? [FLUSH] : [])]);
        },
      }),
  };
}

function packets(answer: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < answer.length; ) {
    const length = Number.parseInt(answer.toString('latin1', at, at + 4), 16);
    if (length >= 4) found.push(answer.toString('latin1', at + 4, at + length));
    at += Math.max(length, 4);
  }
  return found;
}

const raw = (text: string): Buffer => Buffer.from(text, 'latin1');

const LISTS: Record<string, Case> = {
  'refs that leave their folder, or are properties of every object': list(undefined, (lines) => [
    ...lines,
    ...[
      'refs/heads/../../../etc/passwd',
      'refs/heads/__proto__',
      '__proto__',
      'constructor',
      'refs/heads/a b\u0000c',
      '/',
    ].map((name) => `${OID} ${name}\n`),
  ]),
  'a ref that is called with escapes, and one of 60 kB': list(undefined, (lines) => [
    ...lines,
    `${OID} refs/heads/${ESCAPES}\n`,
    `${OID} refs/heads/${'x'.repeat(60_000)}\n`,
  ]),
  'symbolic refs in a circle': list(undefined, ([first = '', ...lines]) => [
    first.replace('\u0000', '\u0000symref=HEAD:HEAD symref=refs/heads/main:refs/heads/main symref=a:b symref=b:a '),
    ...lines,
  ]),
  'a commit that the server does not have': list(/^SOURCE_(MOVED|UNAVAILABLE|INCOMPLETE|PROTOCOL)$/, (lines) =>
    lines.map((line) => (/refs\/heads\/main/.test(line) ? `${OID} refs/heads/main\n` : line)),
  ),
  'a commit that has no name': list(GARBLED, (lines) => lines.map((line) => line.replace(/^.{40}/, 'z'.repeat(40)))),
  'only other branches': list('SOURCE_BRANCH_MISSING', (lines) => [`${OID} refs/heads/x\u0000${caps(lines)}\n`]),
  'names of 64 digits': list('GIT_FORMAT_UNSUPPORTED', (lines) =>
    lines.map((line) => line.replace(/^.{40}/, 'ab'.repeat(32))),
  ),
  'an error in the server’s words': list(/^SOURCE_/, () => [`ERR access denied ${ESCAPES} by the owner\n`]),
  'a packet of length 1': list(GARBLED, (lines) => [...lines, raw('0001')]),
  'a packet that is longer than git allows': list(GARBLED, (lines) => [...lines, raw(`ffff${'x'.repeat(65_531)}`)]),
  'a list without an end': list(GARBLED, (lines) => lines, false),
  'a line that names nothing': list(GARBLED, (lines) => [...lines, 'x\n']),
  'what only version 2 says': list(/^SOURCE_/, () => ['version 2\n', 'agent=git/2\n', 'ls-refs\n', 'fetch\n']),
};

function caps(lines: string[]): string {
  return lines[0]?.split('\u0000')[1]?.trim() ?? '';
}

const status = (headers: Record<string, string>, body: string | Uint8Array): GitFault => ({
  kind: 'status',
  status: 200,
  of: 'advertisement',
  headers,
  body,
});

const SMART = 'application/x-git-upload-pack-advertisement';
const SERVICE = Buffer.concat([packet('# service=git-upload-pack\n'), FLUSH]);
const only = (code: string | RegExp, fault: GitFault, more: Partial<Case> = {}): Case => ({
  code,
  spoil: (team) => team.fault(fault),
  ...more,
});
const short: Partial<Case> = { git: (team) => ({ bearerFile: team.plant('bearer'), timeout: '5s' }) };
/** What ends it first: the limit, or the time. */
const ENDLESS = /^SOURCE_(TOO_LARGE|TIMEOUT|PROTOCOL|INCOMPLETE)$/;
const MANY_REFS = Buffer.concat(Array.from({ length: 1000 }, (_, n) => packet(`${OID} refs/heads/${n}\n`)));

const ANSWERS: Record<string, Case> = {
  'a web page': only('SOURCE_PROTOCOL', status({ 'content-type': 'text/html' }, '<html>sign in</html>')),
  'a web page that says it is git’s': only(GARBLED, status({ 'content-type': SMART }, '<html>sign in</html>')),
  'a server that only has files': only(
    'SOURCE_PROTOCOL',
    status({ 'content-type': 'text/plain' }, `${OID}\trefs/heads/main\n`),
  ),
  'a gzip bomb': only(
    /^SOURCE_/,
    status({ 'content-type': SMART, 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(256 << 20))),
  ),
  'headers of 200 kB': only(/^SOURCE_/, status({ 'content-type': SMART, 'x-long': 'x'.repeat(200_000) }, '')),
  'a list of refs for ever': only('SOURCE_TOO_LARGE', {
    kind: 'flood',
    of: 'advertisement',
    head: SERVICE,
    piece: () => MANY_REFS,
  }),
  'flushes for ever': only(GARBLED, { kind: 'flood', of: 'advertisement', head: SERVICE, piece: () => FLUSH }),
  'progress for ever': only(
    ENDLESS,
    {
      kind: 'flood',
      of: 'pack',
      head: packet('NAK\n'),
      piece: () => sideBand(2, Buffer.alloc(60_000, 'x'))[0] ?? FLUSH,
    },
    short,
  ),
  'shallow commits for ever': only(
    ENDLESS,
    { kind: 'flood', of: 'pack', head: Buffer.alloc(0), piece: () => packet(`shallow ${OID}\n`) },
    short,
  ),
  'acknowledgements for ever': only(
    ENDLESS,
    { kind: 'flood', of: 'pack', head: Buffer.alloc(0), piece: () => packet(`ACK ${OID} common\n`) },
    short,
  ),
  'a pack for ever': only(
    ENDLESS,
    {
      kind: 'flood',
      of: 'pack',
      head: Buffer.concat([packet('NAK\n'), ...sideBand(1, Buffer.from('PACK\0\0\0\u0002\0\u000f\0\0'))]),
      piece: () => sideBand(1, Buffer.alloc(60_000))[0] ?? FLUSH,
    },
    short,
  ),
};

test('a server whose lists of refs are hostile, that answers something else, and for ever: last good stays, it is named, and it heals', (t) =>
  endure(t, { cases: { ...LISTS, ...ANSWERS }, when: 'a later fetch', caps: { memory: 400, disk: 1000 } }));
