import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CraftedEntry, craftDelta, craftPack, nameOf } from '../../test/git/crafted-pack.ts';
import { parseCommit } from './commits/commit.ts';
import { takePack } from './intake/pack-intake.ts';
import { writeLoose } from './objects/loose-object.ts';
import { ObjectStore } from './objects/object-store.ts';
import { Repository } from './repository.ts';
import { findEntry } from './trees/tree.ts';

const LIMITS = { bytes: 2 ** 26, objects: 10_000, objectBytes: 2 ** 26, inflatedBytes: 2 ** 30, depth: 4095 };
/** Milliseconds of CPU, far above what each takes, and far below what it took when it grew with the square: seconds to hours. */
const SOON = 4000;

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-hostile-'));
});
after(() => rm(root, { recursive: true }));

const OID = Buffer.alloc(20, 7);
const entry = (name: string): Buffer => Buffer.concat([Buffer.from(`100644 ${name}\0`), OID]);
const numbered = (i: number): string => String(i).padStart(7, '0');

function assertSoon<Result>(work: () => Result): Result {
  const before = process.cpuUsage();
  const result = work();
  assertWasSoon(before);
  return result;
}

/** Since then. Of CPU, which other programs of a busy machine do not make more. */
function assertWasSoon(before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1000;
  assert.ok(took < SOON, `${took} ms`);
}

let count = 0;
async function stored(entries: readonly CraftedEntry[]): Promise<ObjectStore> {
  const objects = join(root, `objects-${count++}`);
  await mkdir(join(objects, 'pack'), { recursive: true });
  const stream = async function* () {
    yield craftPack(entries);
  };
  await takePack(stream(), join(objects, 'pack'), { limits: LIMITS, bases: new ObjectStore([]) });
  return new ObjectStore([objects]);
}

describe('what somebody pushes to keep an operator busy costs as much as it is long', () => {
  test('names that end as the wanted one does, behind a space', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => entry(`!${numbered(i)} .coffer`));
    const bytes = Buffer.concat([...names, entry('.coffer')]);
    const found = assertSoon(() => findEntry(bytes, '.coffer'));
    assert.deepEqual(found, { name: '.coffer', mode: '100644', oid: OID.toString('hex') });
    assert.equal(
      assertSoon(() => findEntry(bytes, 'coffer')),
      undefined,
    );
    assert.equal(findEntry(bytes, `!${numbered(5)} .coffer`)?.name, `!${numbered(5)} .coffer`);
  });

  test('as many look-ups in a folder as it has files', async () => {
    const files = 20_000;
    const objects = join(root, 'wide');
    const tree = writeLoose(
      objects,
      'tree',
      Buffer.concat(Array.from({ length: files }, (_, i) => entry(numbered(i)))),
    );
    const top = writeLoose(objects, 'tree', Buffer.concat([Buffer.from('40000 wide\0'), Buffer.from(tree, 'hex')]));
    const repository = new Repository({ own: root, common: root }, new ObjectStore([objects]));
    const before = process.cpuUsage();
    for (let i = 0; i < files; i++) {
      const found = await repository.entryAt(top, `wide/${numbered(i)}`);
      assert.equal(found?.name, numbered(i));
    }
    assert.equal(await repository.entryAt(top, 'wide/none'), undefined);
    assertWasSoon(before);
  });

  test('a commit of a hundred thousand parents', () => {
    const who = 'Ada <ada@example.org> 1700000000 +0000';
    const parents = `parent ${'a'.repeat(40)}\n`.repeat(100_000);
    const bytes = Buffer.from(`tree ${'b'.repeat(40)}\n${parents}author ${who}\ncommitter ${who}\n\nmessage\n`);
    assert.equal(assertSoon(() => parseCommit('c'.repeat(40), bytes)).parents.length, 100_000);
  });

  for (const kind of ['place', 'name'] as const) {
    test(`a chain of 4,000 deltas, each against its base by its ${kind}`, async () => {
      const bodies = Array.from({ length: 4000 }, (_, i) => Buffer.from(`object ${i}`));
      const entries = bodies.map((body, i): CraftedEntry => {
        const base = bodies[i - 1];
        if (base === undefined) return { kind: 3, body };
        const delta = craftDelta(base.length, body.length, [body]);
        return kind === 'place'
          ? { kind: 6, back: i - 1, body: delta }
          : { kind: 7, base: nameOf('blob', base), body: delta };
      });
      const store = await stored(entries);
      const last = bodies.at(-1) ?? Buffer.alloc(0);
      assert.deepEqual(assertSoon(() => store.read(nameOf('blob', last))).bytes, last);
      store.close();
    });
  }

  test('a file that is larger than any that is read, before it is made', async () => {
    const size = 2 ** 24 + 1;
    const base = Buffer.alloc(1000, 'x');
    const steps = Array.from({ length: Math.ceil(size / 1000) }, (_, i): [number, number] => [
      0,
      Math.min(1000, size - i * 1000),
    ]);
    const delta = craftDelta(base.length, size, steps);
    const store = await stored([
      { kind: 3, body: base },
      { kind: 3, body: Buffer.alloc(size, 'y') },
      { kind: 6, back: 0, body: delta },
    ]);
    const repository = new Repository({ own: root, common: root }, store);
    for (const letter of ['x', 'y']) {
      const oid = nameOf('blob', Buffer.alloc(size, letter));
      await assert.rejects(repository.readBlob(oid), { code: 'GIT_FILE_TOO_LARGE', message: /16777217 bytes/ });
      assert.equal(repository.readRaw(oid).bytes.length, size);
    }
    assert.equal((await repository.readBlob(nameOf('blob', base))).length, 1000);
    repository.close();
    const loose = join(root, 'large-loose');
    const oid = writeLoose(loose, 'blob', Buffer.alloc(size));
    const beside = new Repository({ own: root, common: root }, new ObjectStore([loose]));
    await assert.rejects(beside.readBlob(oid), { code: 'GIT_FILE_TOO_LARGE' });
  });
});
