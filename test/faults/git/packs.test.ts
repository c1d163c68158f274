import { test } from 'node:test';
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
    () => [{ type: 'blob', bytes: Buffer.alloc(0), size: 160 << 20, deflated: zeros(160) }],
    TOO_LARGE,
  ),
  'a zlib bomb that says it is small': beside(
    () => [{ type: 'blob', bytes: Buffer.alloc(0), size: 100, deflated: zeros(160) }],
    DAMAGED,
  ),
  'a tree of 20 MiB': beside(
    () => [{ type: 'tree', bytes: Buffer.alloc(0), size: 20 << 20, deflated: zeros(20) }],
    REFUSED,
  ),
  'an object of 2 GB announced': beside(() => [{ ...blob('short'), size: 2 * GIBIBYTE }], TOO_LARGE),
  'an object of more bytes than a number can count': beside(() => [{ ...blob('short'), size: 1n << 200n }], DAMAGED),
  'a delta bomb that doubles 21 times': beside(() => doubling(21), TOO_LARGE),
  'a delta that announces 2 GB': beside(
    () => [blob(BASE), { type: 'by offset', base: 1, bytes: deltaOf(BASE.length, 2 * GIBIBYTE, [{ insert: 'x' }]) }],
    TOO_LARGE,
  ),
  'a chain of 5,000 deltas': beside(() => chain(5000), TOO_LARGE),
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
      ['tree', '100644 x\0short'],
      ['tree', `40000 .git\0${'x'.repeat(20)}`],
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
  'a wrong hash at its end': beside(
    () => [],
    DAMAGED,
    () => ({ trailer: Buffer.alloc(20) }),
  ),
  'version 3 of the format': beside(
    () => [],
    DAMAGED,
    () => ({ version: 99 }),
  ),
  'an object of type 0': beside(() => [{ type: 0, bytes: Buffer.from('x') }], DAMAGED),
  'an object that is longer than announced': beside(() => [{ ...blob('longer'), size: 3 }], DAMAGED),
  'what is not zlib at all': beside(() => [{ ...blob('no'), deflated: Buffer.from('no zlib') }], DAMAGED),
  'a delta on itself': beside(
    () => [{ type: 'by offset', base: '0', bytes: deltaOf(1, 1, [{ insert: 'x' }]) }],
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

/**
 * Of the whole process, in MiB: half of this and more when it has taken in the largest pack that it takes, and when what it has let go
 * of is collected is for the engine to say. Held beside each other, the bombs would be gigabytes.
 */
const MEMORY = 750;

test('a hostile pack: last good stays, it is named, and it heals', (t) =>
  endure(t, { cases: { ...BOMBS, ...DAMAGES }, when: 'a later fetch', caps: { memory: MEMORY, disk: 30 } }));
