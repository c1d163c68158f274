import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { Team } from './arena.ts';
import {
  deltaOf,
  type Entry,
  objectsOf,
  type PackOptions,
  packet,
  packOf,
  sideBand,
  withPack,
  zeros,
} from './hostile-pack.ts';
import { type Case, endure } from './trial.ts';

const GIBIBYTE = 2 ** 30;
const TOO_LARGE = 'SOURCE_TOO_LARGE';
const REFUSED = 'PACK_OBJECT_REFUSED';
const DAMAGED = 'SOURCE_INCOMPLETE';
const blob = (text: string): Entry => ({ type: 'blob', bytes: Buffer.from(text) });
const BASE = 'x'.repeat(1024);

/** The server sends what it should, and this beside it. */
function beside(extra: () => Entry[], code: string, options: (count: number) => PackOptions = () => ({})): Case {
  return sends(async (team) => {
    const entries = [...(await objectsOf(team.tree)), ...extra()];
    return packOf(entries, options(entries.length));
  }, code);
}

/** The server sends this pack. */
function sends(pack: (team: Team) => Promise<Buffer>, code: string): Case {
  return {
    code,
    spoil: async (team) => {
      const bytes = await pack(team);
      team.fault({ kind: 'spoil', of: 'pack', change: (answer) => withPack(answer, bytes) });
    },
  };
}

/** Each twice as long as the one before. */
function doubling(levels: number): Entry[] {
  const entries = [blob(BASE)];
  for (let level = 0; level < levels; level++) {
    const size = BASE.length * 2 ** level;
    const pieces: { copy: number; length: number }[] = [];
    for (let at = 0; at < size; at += 0xffffff) pieces.push({ copy: at, length: Math.min(size - at, 0xffffff) });
    entries.push({ type: 'by offset', base: 1, bytes: deltaOf(size, 2 * size, [...pieces, ...pieces]) });
  }
  return entries;
}

/** Each as long as the one before, and one letter another. */
function chain(length: number): Entry[] {
  const entries = [blob(BASE)];
  for (let link = 0; link < length; link++) {
    const insert = link.toString(36).padStart(8, '0');
    const copy = { copy: 0, length: BASE.length - insert.length };
    entries.push({ type: 'by offset', base: 1, bytes: deltaOf(BASE.length, BASE.length, [copy, { insert }]) });
  }
  return entries;
}

const BOMBS: Record<string, Case> = {
  'a zlib bomb that says its size': beside(
    () => [{ type: 'blob', bytes: Buffer.alloc(0), size: 256 << 20, deflated: zeros(256) }],
    TOO_LARGE,
  ),
  'a zlib bomb that says it is small': beside(
    () => [{ type: 'blob', bytes: Buffer.alloc(0), size: 100, deflated: zeros(256) }],
    DAMAGED,
  ),
  'a tree of 100 MiB': beside(
    () => [{ type: 'tree', bytes: Buffer.alloc(0), size: 100 << 20, deflated: zeros(100) }],
    REFUSED,
  ),
  'an object of 2 GB announced': beside(() => [{ ...blob('short'), size: 2 * GIBIBYTE }], TOO_LARGE),
  'an object of more bytes than a number can count': beside(() => [{ ...blob('short'), size: 1n << 200n }], DAMAGED),
  'a delta bomb that doubles 21 times': beside(() => doubling(21), TOO_LARGE),
  'a delta that announces 2 GB': beside(
    () => [blob(BASE), { type: 'by offset', base: 1, bytes: deltaOf(BASE.length, 2 * GIBIBYTE, [{ insert: 'x' }]) }],
    TOO_LARGE,
  ),
  'a chain of 20,000 deltas': beside(() => chain(20_000), TOO_LARGE),
  'four billion objects announced': beside(
    () => [],
    TOO_LARGE,
    () => ({ count: 2 ** 32 - 1 }),
  ),
};

/** What a real server would not even send. */
const GRAMMAR: Record<string, Case> = Object.fromEntries(
  (
    [
      ['tree', '100644 \0'.padEnd(28, 'x')],
      ['tree', '100644 a/b\0'.padEnd(31, 'x')],
      ['tree', '100644 x\0short'],
      ['tree', '100644'],
      ['tree', `777777777777 x\0${'x'.repeat(20)}`],
      ['tree', `40000 .git\0${'x'.repeat(20)}`],
      ['commit', 'tree x\n\nx\n'],
      ['commit', `tree ${'1'.repeat(40)}\n\nwithout an author\n`],
      ['tag', `object ${'1'.repeat(40)}\ntype nothing\ntag ..\n\n`],
    ] as const
  ).map(([type, text]) => [
    `the ${type} ${JSON.stringify(text).slice(0, 30)}`,
    beside(() => [{ type, bytes: Buffer.from(text, 'latin1') }], REFUSED),
  ]),
);

const DAMAGES: Record<string, Case> = {
  ...GRAMMAR,
  'one object less than announced': beside(
    () => [],
    DAMAGED,
    (count) => ({ count: count + 1 }),
  ),
  'one object more than announced': beside(
    () => [blob('more')],
    DAMAGED,
    (count) => ({ count: count - 1 }),
  ),
  'a wrong hash at its end': beside(
    () => [],
    DAMAGED,
    () => ({ trailer: Buffer.alloc(20) }),
  ),
  'half a hash at its end': beside(
    () => [],
    DAMAGED,
    () => ({ trailer: Buffer.alloc(10) }),
  ),
  'version 3 of the format': beside(
    () => [],
    DAMAGED,
    () => ({ version: 99 }),
  ),
  'an object of type 0': beside(() => [{ type: 0, bytes: Buffer.from('x') }], DAMAGED),
  'an object of type 5': beside(() => [{ type: 5, bytes: Buffer.from('x') }], DAMAGED),
  'an object that is longer than announced': beside(() => [{ ...blob('longer'), size: 3 }], DAMAGED),
  'an object that is shorter than announced': beside(() => [{ ...blob('shorter'), size: 30 }], DAMAGED),
  'a checksum of zlib that is wrong': beside(
    () => [{ ...blob('damaged'), deflated: flipLast(deflateSync('damaged')) }],
    DAMAGED,
  ),
  'what is not zlib at all': beside(() => [{ ...blob('no'), deflated: Buffer.from('no zlib') }], DAMAGED),
  'a delta on itself': beside(
    () => [{ type: 'by offset', base: '0', bytes: deltaOf(1, 1, [{ insert: 'x' }]) }],
    DAMAGED,
  ),
  'a delta on what precedes the pack': beside(
    () => [{ type: 'by offset', base: '1000000', bytes: deltaOf(1, 1, [{ insert: 'x' }]) }],
    DAMAGED,
  ),
  'a delta on the middle of an object': beside(
    () => [blob(BASE), { type: 'by offset', base: '3', bytes: deltaOf(1, 1, [{ insert: 'x' }]) }],
    DAMAGED,
  ),
  'a delta on an object that nobody has': beside(
    () => [{ type: 'by name', base: 'ab'.repeat(20), bytes: deltaOf(1, 1, [{ insert: 'x' }]) }],
    DAMAGED,
  ),
  'a delta that copies from beyond its base': beside(
    () => [
      blob(BASE),
      { type: 'by offset', base: 1, bytes: deltaOf(BASE.length, 9, [{ copy: BASE.length - 1, length: 9 }]) },
    ],
    DAMAGED,
  ),
  'a delta with a reserved instruction': beside(
    () => [blob(BASE), { type: 'by offset', base: 1, bytes: deltaOf(BASE.length, 9, [{ raw: [0] }]) }],
    DAMAGED,
  ),
  'bytes after its end': sends(
    async ({ tree }) => Buffer.concat([packOf(await objectsOf(tree)), Buffer.alloc(9)]),
    DAMAGED,
  ),
  'no object at all': sends(async () => packOf([]), DAMAGED),
  'all but the newest commit': sends(async ({ tree }) => {
    const parent = await tree.git('rev-parse', 'HEAD~1');
    const isNewest = ({ type, bytes }: Entry) => type === 'commit' && Buffer.from(bytes).includes(`parent ${parent}`);
    return packOf((await objectsOf(tree)).filter((entry) => !isNewest(entry)));
  }, DAMAGED),
  'all but the files': sends(
    async ({ tree }) => packOf((await objectsOf(tree)).filter(({ type }) => type !== 'blob')),
    DAMAGED,
  ),
  'an error in the place of its end': {
    code: /^SOURCE_/,
    spoil: (team) =>
      team.fault({
        kind: 'spoil',
        of: 'pack',
        change: (answer) =>
          Buffer.concat([
            answer.subarray(0, answer.indexOf('PACK') - 5),
            ...sideBand(3, Buffer.from('fatal: \u001b[2J\u0007 out of luck\n')),
            packet('ERR \u001b[2J no\n'),
          ]),
      }),
  },
};

function flipLast(bytes: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.readUInt8(bytes.length - 1) ^ 1])]);
}

describe('a hostile pack: last good stays, it is named, and it heals', () => {
  const when = 'a later fetch';
  test('bombs', (t) => endure(t, { cases: BOMBS, when, caps: { memory: 600, disk: 30 } }));
  test('damages', (t) => endure(t, { cases: DAMAGES, when, caps: { memory: 400, disk: 30 } }));
  test('bombs, at the first fetch', (t) =>
    endure(t, { cases: BOMBS, when: 'the first fetch', caps: { memory: 600, disk: 30 } }));
});
