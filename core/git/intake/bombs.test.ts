import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { type CraftedEntry, craftDelta, craftPack, nameOf, sealPack } from '../../../test/git/crafted-pack.ts';
import { writeLoose } from '../objects/loose-object.ts';
import { ObjectStore } from '../objects/object-store.ts';
import { type PackLimits, takePack } from './pack-intake.ts';

const MiB = 1 << 20;
const LIMITS: PackLimits = { bytes: 8 * MiB, objects: 5000, objectBytes: 4 * MiB, inflatedBytes: 16 * MiB, depth: 50 };

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-bombs-'));
});
after(() => rm(root, { recursive: true }));

let count = 0;
async function take(pack: Uint8Array, bases: string[] = [], limits = LIMITS): Promise<string> {
  const folder = join(root, `taken-${count++}`);
  await mkdir(folder);
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < pack.length; at += 65_536) yield pack.subarray(at, at + 65_536);
  }
  try {
    await takePack(stream(), folder, { limits, bases: new ObjectStore(bases) });
    return 'taken';
  } catch (error) {
    assert.deepEqual(await readdir(folder), []);
    if (error instanceof Error && 'code' in error) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const blob = (body: Uint8Array): CraftedEntry => ({ kind: 3, body });
const zeros = (length: number): Buffer => Buffer.alloc(length);
/** Deltas of which each has the one before it as its base and doubles it. */
function doubling(times: number, start: number): CraftedEntry[] {
  const deltas = Array.from({ length: times }, (_, i) => {
    const base = start * 2 ** i;
    const copies: [number, number][] = [];
    for (let half = 0; half < 2; half++) {
      for (let at = 0; at < base; at += 0x10000) copies.push([at, Math.min(0x10000, base - at)]);
    }
    return { kind: 6, back: i, body: craftDelta(base, base * 2, copies) };
  });
  return [blob(zeros(start)), ...deltas];
}
/** One after another, each with one byte less than its base. */
function chain(length: number, size: number): CraftedEntry[] {
  const body = Buffer.alloc(size, 'x');
  const deltas = Array.from({ length }, (_, i) => {
    const steps: [number, number][] = [];
    for (let at = 0; at < size - i - 1; at += 0x10000) steps.push([at, Math.min(0x10000, size - i - 1 - at)]);
    return { kind: 6, back: i, body: craftDelta(size - i, size - i - 1, steps) };
  });
  return [blob(body), ...deltas];
}
/** Of each other's names, which nobody can make for real: the names are those of nothing. */
function cycle(length: number): CraftedEntry[] {
  const name = (i: number) => nameOf('blob', Buffer.from(`no object ${i % length}`));
  return Array.from({ length }, (_, i) => ({ kind: 7, base: name(i + 1), body: craftDelta(5, 5, [[0, 5]]) }));
}
const short = Buffer.from('short');

const REFUSED: Record<string, [() => Buffer, RegExp]> = {
  'announces an object of 2 GB': [
    () => craftPack([{ ...blob(short), size: 2 ** 31 }]),
    /^PACK_TOO_LARGE: .* 2147483648 bytes/,
  ],
  'announces an object of 2^60 bytes': [() => craftPack([{ ...blob(short), size: 2 ** 60 }]), /^PACK_MALFORMED/],
  'announces four thousand million objects': [
    () => craftPack([blob(short)], 0xffffffff),
    /^PACK_TOO_LARGE: .* objects/,
  ],
  'announces more objects than it has bytes': [() => craftPack([blob(short)], 4999), /^PACK_MALFORMED/],
  'announces fewer objects than it has': [() => craftPack([blob(short), blob(zeros(9))], 1), /^PACK_MALFORMED.*longer/],
  'is longer than it may be': [
    () => Buffer.concat([craftPack([blob(short)]), zeros(9 * MiB)]),
    /^PACK_TOO_LARGE: .* bytes/,
  ],
  'holds a zlib bomb that says how large it is': [() => craftPack([blob(zeros(5 * MiB))]), /^PACK_TOO_LARGE/],
  'holds a zlib bomb that says it is small': [
    () => craftPack([{ ...blob(zeros(64 * MiB)), size: 10 }]),
    /^PACK_MALFORMED/,
  ],
  'holds an object that is shorter than it says': [() => craftPack([{ ...blob(short), size: 9 }]), /^PACK_MALFORMED/],
  'holds many zlib bombs, each within its limit': [
    () => craftPack(Array.from({ length: 6 }, (_, i) => blob(Buffer.alloc(3 * MiB, i)))),
    /^PACK_TOO_LARGE: .* bytes of objects/,
  ],
  'holds deltas that double what they stand on': [() => craftPack(doubling(12, 4096)), /^PACK_TOO_LARGE: .* makes/],
  'holds deltas that say they make 2 GB': [
    () => craftPack([blob(short), { kind: 6, back: 0, body: craftDelta(5, 2 ** 31, [[0, 5]]) }]),
    /^PACK_TOO_LARGE: .* makes 2147483648 bytes/,
  ],
  'holds deltas that make more together than may be': [() => craftPack(chain(40, MiB)), /^PACK_TOO_LARGE: .* objects/],
  'holds a longer chain of deltas than may be': [() => craftPack(chain(60, 4096)), /^PACK_TOO_LARGE: .* chain/],
  'holds a long chain of large objects, which whoever reads them would have to go through for each': [
    () => craftPack(chain(60, 1.2 * MiB)),
    /^PACK_TOO_LARGE/,
  ],
  'holds a delta that is longer than what it makes': [
    () => {
      const steps = Array.from({ length: 40_000 }, () => Buffer.from('x'));
      return craftPack([blob(short), { kind: 6, back: 0, body: craftDelta(5, 5, steps) }]);
    },
    /^PACK_MALFORMED: .* longer/,
  ],
  'holds a commit of a hundred thousand parents': [
    () => {
      const parents = `parent ${'a'.repeat(40)}\n`.repeat(80_000);
      const who = 'Ada <ada@example.org> 1700000000 +0000';
      const text = `tree ${'b'.repeat(40)}\n${parents}author ${who}\ncommitter ${who}\n\nmessage\n`;
      return craftPack([{ kind: 1, body: Buffer.from(text) }]);
    },
    /^PACK_OBJECT_REFUSED: .*headerTooLong/,
  ],
  'holds deltas of each other': [() => craftPack([blob(short), ...cycle(3)]), /^PACK_MALFORMED: .* 3 deltas/],
  'holds a delta of itself': [() => craftPack(cycle(1)), /^PACK_MALFORMED: .* 1 deltas/],
  'holds a delta against bytes that are no object': [
    () => {
      const pack = craftPack([blob(short), { kind: 6, back: 0, body: craftDelta(5, 5, [[0, 5]]) }]);
      const entry = 12 + 1 + deflateSync(short).length;
      pack[entry + 1] = (pack[entry + 1] ?? 0) - 1;
      return sealPack(pack.subarray(0, -20));
    },
    /^PACK_MALFORMED: .* against nothing/,
  ],
  'holds a delta against what comes later or before the pack': [
    () => craftPack([{ kind: 6, back: 0, body: craftDelta(5, 5, [[0, 5]]) }]),
    /^PACK_MALFORMED/,
  ],
  'holds an object twice': [() => craftPack([blob(short), blob(short)]), /^PACK_MALFORMED: .* twice/],
  'holds an entry of no kind': [() => craftPack([{ kind: 5, body: short }]), /^PACK_MALFORMED/],
  'holds a tree with a way out': [
    () => craftPack([{ kind: 2, body: Buffer.concat([Buffer.from('100644 ..\0'), Buffer.alloc(20, 7)]) }]),
    /^PACK_OBJECT_REFUSED: .*hasDotdot/,
  ],
};

describe('a pack is refused that', () => {
  for (const [what, [pack, expected]] of Object.entries(REFUSED)) {
    test(what, async () => assert.match(await take(pack()), expected));
  }

  test('leaves out bases that are more together than it may hold itself', async () => {
    const objects = join(root, 'many-bases');
    const bases = Array.from({ length: 12 }, (_, i) => Buffer.alloc(1.5 * MiB, i));
    const entries = bases.map((base, i): CraftedEntry => {
      writeLoose(objects, 'blob', base);
      return {
        kind: 7,
        base: nameOf('blob', base),
        body: craftDelta(base.length, 5, [Buffer.from(`new ${i}`).subarray(0, 5)]),
      };
    });
    assert.match(await take(craftPack(entries), [objects]), /^PACK_TOO_LARGE: .* bytes of objects/);
    // Random bytes do not become fewer when they are written whole.
    const random = Array.from({ length: 3 }, () => randomBytes(MiB));
    const thin = random.map((base, i): CraftedEntry => {
      writeLoose(objects, 'blob', base);
      return { kind: 7, base: nameOf('blob', base), body: craftDelta(base.length, 5, [Buffer.from(`r ${i}..`)]) };
    });
    assert.match(await take(craftPack(thin), [objects], { ...LIMITS, bytes: 2 * MiB }), /^PACK_TOO_LARGE: .* left out/);
    assert.equal(await take(craftPack(thin), [objects]), 'taken');
  });

  test('holds another object under a name that is here', async () => {
    const objects = join(root, 'objects');
    const oid = writeLoose(objects, 'blob', short);
    const bases = new ObjectStore([objects]);
    // Nobody can make two objects of one name for this test: the one that is here says it is another.
    bases.read = () => ({ type: 'blob', bytes: Buffer.from('other') });
    const pack = craftPack([blob(short)]);
    const stream = async function* () {
      yield pack;
    };
    const folder = join(root, 'collision');
    await mkdir(folder);
    await assert.rejects(takePack(stream(), folder, { limits: LIMITS, bases }), {
      code: 'PACK_COLLISION',
      message: new RegExp(oid),
    });
  });
});

describe('a pack is taken that', () => {
  test('uses its limits to the full, in memory that holds a few of its objects', async () => {
    assert.equal(await take(craftPack(chain(12, MiB))), 'taken');
    assert.equal(await take(craftPack(doubling(9, 4096))), 'taken');
    assert.equal(await take(craftPack(chain(50, 4096))), 'taken');
  });

  test('comes back to bases which were made long before: they are made again, as often as the limits allow', async () => {
    const size = 1.5 * MiB;
    /** The base with other bytes at its beginning. */
    const marked = (mark: number): Buffer => {
      const copies = Array.from({ length: size / 0x10000 - 1 }, (_, i): [number, number] => [
        (i + 1) * 0x10000,
        0x10000,
      ]);
      return craftDelta(size, size, [Buffer.from([mark]), [1, 0xffff], ...copies]);
    };
    // None of the first ones is still at hand when what stands on it is looked at.
    const first = Array.from({ length: 3 }, (_, i) => ({ kind: 6, back: 0, body: marked(i + 1) }));
    const second = first.map((_, i) => ({ kind: 6, back: i + 1, body: marked(i + 11) }));
    const limits = { ...LIMITS, inflatedBytes: 64 * MiB };
    assert.equal(await take(craftPack([blob(Buffer.alloc(size)), ...first, ...second]), [], limits), 'taken');
  });

  test('has its deltas before their bases, by name', async () => {
    const middle = Buffer.from('short, and more');
    const delta = (base: Buffer, result: Buffer): Buffer =>
      craftDelta(base.length, result.length, [[0, base.length], result.subarray(base.length)]);
    const last = Buffer.concat([middle, Buffer.from('!')]);
    const entries: CraftedEntry[] = [
      { kind: 7, base: nameOf('blob', middle), body: delta(middle, last) },
      { kind: 7, base: nameOf('blob', short), body: delta(short, middle) },
      blob(short),
    ];
    assert.equal(await take(craftPack(entries)), 'taken');
    assert.match(await take(craftPack(entries.slice(0, 2))), /PACK_MALFORMED: .* 2 deltas/);
    const objects = join(root, 'thin');
    writeLoose(objects, 'blob', short);
    assert.equal(await take(craftPack(entries.slice(0, 2)), [objects]), 'taken');
  });
});
