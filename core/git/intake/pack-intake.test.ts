import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type CraftedEntry, craftDelta, craftPack, sealPack } from '../../../test/git/crafted-pack.ts';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import fc from '../../../test/support/properties.ts';
import { CofferError } from '../../errors.ts';
import { writeLoose } from '../objects/loose-object.ts';
import { ObjectStore, objectId } from '../objects/object-store.ts';
import type { IsAttack } from './entry-table.ts';
import { type IntakeOptions, type PackLimits, type TakenPack, takePack } from './pack-intake.ts';

/** Compared with what the real git makes of the same bytes. */
const run = promisify(execFile);
const LIMITS: PackLimits = {
  bytes: 2 ** 26,
  objects: 10_000,
  objectBytes: 2 ** 24,
  inflatedBytes: 2 ** 28,
  depth: 4095,
};

/** The same objects in each run, so that the same samples are changed in the same places. */
process.env.GIT_AUTHOR_DATE = process.env.GIT_COMMITTER_DATE = '1700000000 +0000';

let root: string;
let tree: WorkTree;
let first: string;
let last: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-intake-'));
  tree = await WorkTree.init(join(root, 'team'));
  const text = Array.from({ length: 400 }, (_, i) => `line ${i} of a file that changes a little\n`);
  for (let i = 0; i < 30; i++) {
    text[(i * 37) % 400] = `changed in ${i}\n`;
    await tree.commit({ 'long.txt': text.join(''), [`dir/${i % 5}.txt`]: text.slice(i).join('') }, `Commit ${i}`);
    if (i === 10) first = await tree.git('rev-parse', 'HEAD');
  }
  await tree.git('tag', '-a', 'v1', '-m', 'one');
  last = await tree.git('rev-parse', 'HEAD');
});
after(() => rm(root, { recursive: true }));

async function packed(revisions: readonly string[], ...options: string[]): Promise<Buffer> {
  const args = ['-C', tree.directory, 'pack-objects', '-q', '--revs', '--stdout', '--threads=1', ...options];
  const child = spawn('git', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(`${revisions.join('\n')}\n`);
  const parts = await Array.fromAsync<Buffer>(child.stdout);
  return Buffer.concat(parts);
}

let count = 0;
/** Takes it in pieces of this length, with the objects of these directories as bases. */
async function taken(
  pack: Uint8Array,
  {
    pieces = 1000,
    bases = [],
    limits = LIMITS,
    ...rest
  }: {
    pieces?: number;
    bases?: string[];
    limits?: PackLimits;
    isAttack?: IsAttack;
    heavy?: IntakeOptions['heavy'];
  } = {},
): Promise<{ folder: string; taken: TakenPack | undefined }> {
  const folder = join(root, `taken-${count++}`);
  await mkdir(folder);
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < pack.length; at += pieces) yield pack.subarray(at, at + pieces);
  }
  try {
    return { folder, taken: await takePack(stream(), folder, { limits, bases: new ObjectStore(bases), ...rest }) };
  } catch (error) {
    assert.deepEqual(await readdir(folder), [], 'something is left of a pack that was refused');
    throw error;
  }
}

/** The index that git makes, or undefined where it refuses. */
async function gits(pack: Uint8Array): Promise<Buffer | undefined> {
  const file = join(root, `git-${count++}`);
  await writeFile(`${file}.pack`, pack);
  try {
    await run('git', ['index-pack', '-o', `${file}.idx`, `${file}.pack`], { cwd: root });
    return await readFile(`${file}.idx`);
  } catch (error) {
    if (error instanceof Error && 'stderr' in error) return undefined;
    throw error;
  }
}

describe('a pack that git makes', () => {
  test('gets the index that git gives it, however it is made and in whatever pieces it comes', async () => {
    const options = fc.record({
      offsets: fc.boolean(),
      depth: fc.constantFrom(0, 1, 3, 50, 250),
      compression: fc.constantFrom(0, 1, 9),
      pieces: fc.constantFrom(1, 7, 4096, 1 << 20),
      revisions: fc.constantFrom(['v1', last], [first], [last, `^${first}`], ['v1', `^${last}~1`]),
    });
    await fc.assert(
      fc.asyncProperty(options, async ({ offsets, depth, compression, pieces, revisions }) => {
        const pack = await packed(
          revisions,
          `--depth=${depth}`,
          `--compression=${compression}`,
          '--no-reuse-delta',
          '--no-reuse-object',
          ...(offsets ? ['--delta-base-offset'] : []),
        );
        const { folder, taken: got } = await taken(pack, { pieces });
        assert.ok(got !== undefined);
        assert.deepEqual(await readFile(join(folder, `${got.name}.pack`)), pack);
        assert.deepEqual(await readFile(join(folder, `${got.name}.idx`)), await gits(pack));
        assert.equal(got.objects, pack.readUInt32BE(8));
      }),
      { numRuns: 12 },
    );
  });

  test('and that leaves out bases which are here is made whole, so that it can be read by itself', async () => {
    const pack = await packed([last, `^${first}`], '--thin', '--delta-base-offset');
    assert.equal(await gits(pack), undefined, 'it is not thin');
    await assert.rejects(taken(pack), { code: 'PACK_MALFORMED', message: /have no base/ });
    const { folder, taken: got } = await taken(pack, { bases: [join(tree.directory, '.git', 'objects')] });
    const name = join(folder, got?.name ?? '');
    const { stdout } = await run('git', ['verify-pack', '-v', `${name}.idx`], { cwd: root });
    const names: string[] = stdout.match(/^[0-9a-f]{40}(?= (?:commit|tree|blob|tag))/gm) ?? [];
    const sent = (await tree.git('rev-list', '--objects', '--no-object-names', last, `^${first}`)).split('\n');
    assert.deepEqual(
      sent.filter((oid) => !names.includes(oid)),
      [],
    );
    assert.ok(names.length > sent.length);
  });

  test('is nothing where it is empty', async () => {
    const { folder, taken: got } = await taken(await packed([last, `^${last}`]));
    assert.deepEqual([got, await readdir(folder)], [undefined, []]);
  });
});

describe('a pack that was changed on its way, its hash made right again', () => {
  test('is refused where git refuses it, and otherwise holds what git finds in it', async () => {
    const packs = await Promise.all([
      packed([first], '--delta-base-offset'),
      packed([first]),
      packed([first, `^${first}~3`], '--compression=0'),
    ]);
    const change = fc.record({
      pack: fc.constantFrom(...packs),
      /** At byte `at`: others instead, some more, or some less. */
      edits: fc.array(
        fc.record({
          at: fc.nat(),
          drop: fc.constantFrom(0, 0, 1, 1, 1, 2, 20),
          bytes: fc.uint8Array({ minLength: 0, maxLength: 2 }),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    });
    const refused = { both: 0, ours: 0, none: 0 };
    await fc.assert(
      fc.asyncProperty(change, async ({ pack, edits }) => {
        let body = pack.subarray(0, -20);
        for (const { at, drop, bytes } of edits) {
          const place = at % body.length;
          body = Buffer.concat([body.subarray(0, place), bytes, body.subarray(place + drop)]);
        }
        const index = await gits(sealPack(body));
        try {
          const { folder, taken: got } = await taken(sealPack(body));
          const ours = got === undefined ? undefined : await readFile(join(folder, `${got.name}.idx`));
          assert.deepEqual(ours, index);
          refused.none++;
        } catch (error) {
          if (!(error instanceof CofferError)) throw error;
          if (index === undefined) refused.both++;
          else {
            // Git looks at the grammar only where it is asked to.
            assert.equal(error.code, 'PACK_OBJECT_REFUSED');
            refused.ours++;
          }
        }
      }),
      { numRuns: 150 },
    );
    assert.ok(refused.both > 50, JSON.stringify(refused));
  });

  test('is refused wherever it is cut off, and with anything behind it', async () => {
    const pack = await packed([first, `^${first}~1`]);
    for (let length = 0; length < pack.length; length += 1 + Math.floor(length / 40)) {
      await assert.rejects(taken(pack.subarray(0, length)), { code: 'PACK_MALFORMED' });
      const isWhole = length === pack.length - 20;
      if (length > 12 && !isWhole)
        await assert.rejects(taken(sealPack(pack.subarray(0, length))), { code: 'PACK_MALFORMED' });
    }
    await assert.rejects(taken(Buffer.concat([pack, Buffer.from('more')])), { code: 'PACK_MALFORMED' });
    await assert.rejects(taken(sealPack(Buffer.concat([pack.subarray(0, -20), Buffer.from('more')]))), {
      code: 'PACK_MALFORMED',
    });
  });
});

test('a pack with an object that was made to collide is refused, whichever it is, and nothing of it stays', async () => {
  const pack = await packed([last, 'v1']);
  for (const name of [first, `${last}^{tree}`, `${last}:long.txt`, 'v1']) {
    const oid = await tree.git('rev-parse', name);
    const isAttack: IsAttack = (type, bytes) => objectId(type, bytes) === oid;
    await assert.rejects(taken(pack, { isAttack }), (error) => {
      assert.ok(error instanceof CofferError && error.message.includes(oid));
      assert.equal(error.code, 'PACK_COLLISION_ATTACK');
      return true;
    });
  }
});

describe('work that takes much memory', () => {
  const LARGE = 5 << 20;
  const large = (letter: string): CraftedEntry => ({ kind: 3, body: Buffer.alloc(LARGE, letter) });

  /** How often it was asked for its turn, and what came of it. */
  async function asking(pack: Uint8Array, options: { bases?: string[]; limits?: PackLimits } = {}) {
    let turns = 0;
    const heavy = <T>(work: () => Promise<T>): Promise<T> => {
      turns++;
      return work();
    };
    const outcome = await taken(pack, { ...options, heavy }).then(
      ({ taken }) => taken?.objects,
      (error: unknown) => (error instanceof CofferError ? error.code : assert.fail(String(error))),
    );
    return { turns, outcome };
  }

  test('waits for its turn: large objects, deltas against some, and many objects; what is usual does not', async () => {
    const base = writeLoose(join(root, 'large'), 'blob', Buffer.alloc(LARGE, 'y'));
    const body = craftDelta(LARGE, 5, [Buffer.from('short')]);
    const many = Array.from({ length: 2 ** 16 + 1 }, (_, n): CraftedEntry => ({ kind: 3, body: Buffer.from(`${n}`) }));
    const cases: [Uint8Array, number, { bases?: string[]; limits?: PackLimits }?][] = [
      [await packed([last, 'v1']), 0],
      [craftPack([large('x')]), 1],
      [craftPack([{ kind: 7, base, body }]), 1, { bases: [join(root, 'large')] }],
      [craftPack(many), 1, { limits: { ...LIMITS, objects: 2 ** 20 } }],
    ];
    for (const [pack, turns, options] of cases) {
      const found = await asking(pack, options);
      assert.deepEqual([found.turns, typeof found.outcome], [turns, 'number']);
    }
  });

  test('is refused in its turn where it is more than is taken at all, and without one where it is damaged', async () => {
    const limits = { ...LIMITS, objectBytes: LARGE - 1 };
    assert.deepEqual(await asking(craftPack([large('x')]), { limits }), { turns: 1, outcome: 'PACK_TOO_LARGE' });
    const torn = sealPack(craftPack([{ kind: 3, body: Buffer.from('text') }]).subarray(0, -24));
    assert.deepEqual(await asking(torn), { turns: 0, outcome: 'PACK_MALFORMED' });
  });
});
