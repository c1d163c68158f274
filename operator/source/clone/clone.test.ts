import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { writeLoose } from '../../../core/git/objects/loose-object.ts';
import { WorkTree } from '../../../test/servers/work-tree.ts';
import { Clone, type Room } from './clone.ts';

const run = promisify(execFile);
const KiB = 1024;

let root: string;
let tree: WorkTree;
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'coffer-clone-'));
});
beforeEach(async () => {
  tree = await WorkTree.init(join(root, `team-${count++}`));
});
after(() => rm(root, { recursive: true }));

const open = (room: Partial<Room> = {}): Promise<Clone> =>
  Clone.open(join(root, `clone-${count++}`), { most: 2 ** 30, small: 0, ...room });

/** What a server sends of a commit to whom has these. */
function sent(commit: string, have: readonly string[] = [], isThin = true): AsyncIterable<Uint8Array> {
  const args = [
    '-C',
    tree.directory,
    'pack-objects',
    '-q',
    '--revs',
    ...(have.length > 0 && isThin ? ['--thin'] : []),
    '--delta-base-offset',
    '--stdout',
  ];
  const child = spawn('git', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(`${[commit, ...have.map((oid) => `^${oid}`)].join('\n')}\n`);
  // Node throws away what nobody has begun to read when the process ends.
  return child.stdout.pipe(new PassThrough());
}

async function fetched(clone: Clone, commit: string): Promise<void> {
  const accepted = await clone.accepted();
  const quarantine = await clone.quarantine();
  await quarantine.takePack(sent(commit, accepted === undefined ? [] : [accepted]));
  assert.ok(quarantine.isIntact(commit));
  await clone.adopt(quarantine, commit);
  await quarantine.discard();
}

async function bytesOf(clone: Clone): Promise<number> {
  const folder = join(clone.directory, 'objects', 'pack');
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const git = (clone: Clone, ...args: string[]) => run('git', ['--git-dir', clone.directory, ...args]);

describe('a clone', () => {
  test('that is fetched often stays as small as what came, in few packs, whole for git', async (t) => {
    const clone = await open();
    t.after(() => clone.close());
    const lines = Array.from({ length: 2000 }, (_, i) => `${i} ${randomBytes(20).toString('hex')}`);
    for (let i = 0; i < 35; i++) {
      lines[i * 7] = `changed in ${i}`;
      await fetched(clone, await tree.commit({ 'long.txt': lines.join('\n') }));
    }
    assert.ok(clone.repository.objects.packs().length < 15);
    // The file is 100 KiB; as many whole copies as there were versions would be more than 1 MiB even deflated.
    assert.ok((await bytesOf(clone)) < 400 * KiB, `${await bytesOf(clone)} bytes`);
    await git(clone, 'fsck', '--strict', 'refs/coffer/accepted');
    for (const { file } of clone.repository.objects.packs()) await git(clone, 'verify-pack', file);
  });

  test('gives back the room of what nothing reaches any more, once that is worth it', async (t) => {
    const clone = await open();
    t.after(() => clone.close());
    const start = await tree.commit({ start: '0' });
    await fetched(clone, start);
    for (let i = 0; i < 6; i++) await fetched(clone, await tree.commit({ [`gone/${i}`]: randomBytes(50 * KiB) }));
    await tree.git('reset', '-q', '--hard', start);
    const gone = await clone.accepted();
    const stays = await tree.commit({ 'stays/a': 'short', 'stays/b': randomBytes(10 * KiB) });
    await fetched(clone, stays);
    const objects = join(clone.directory, 'objects');
    const [kept, dropped] = ['kept', 'dropped'].map((text) => writeLoose(objects, 'blob', Buffer.from(text)));
    assert.ok((await bytesOf(clone)) > 300 * KiB);

    const { repository } = clone;
    assert.ok(await clone.compact([kept ?? '']));
    assert.ok((await bytesOf(clone)) < 30 * KiB, `${await bytesOf(clone)} bytes`);
    assert.deepEqual(
      [kept, dropped, gone, start].map((oid) => repository.objects.has(oid ?? '')),
      [true, false, false, true],
    );
    await git(clone, 'fsck', '--strict', 'refs/coffer/accepted');
    assert.equal(await clone.compact([]), false);
    await fetched(clone, await tree.commit({ more: '1' }));
  });

  test('takes no more than its room holds, and stays as it is', async (t) => {
    const clone = await open({ most: 100 * KiB });
    t.after(() => clone.close());
    await fetched(clone, await tree.commit({ 'room.bin': randomBytes(60 * KiB) }));
    const before = await bytesOf(clone);
    const commit = await tree.commit({ 'room.bin': randomBytes(60 * KiB) });
    await assert.rejects(fetched(clone, commit), { code: 'PACK_TOO_LARGE' });
    assert.equal(await bytesOf(clone), before);
    await tree.git('reset', '-q', '--hard', 'HEAD~1');
    await fetched(clone, await tree.commit({ 'room.bin': null }));
  });

  test('takes no history that a server cut off unasked', async (t) => {
    const clone = await open();
    t.after(() => clone.close());
    const first = await tree.commit({ shallow: '1' });
    const second = await tree.commit({ shallow: '2' });
    const quarantine = await clone.quarantine();
    await quarantine.takePack(sent(second, [first], false));
    await writeFile(join(quarantine.directory, 'shallow'), `${second}\n`);
    assert.ok(quarantine.isIntact(second), 'the first commit may be taken alone');
    assert.ok(!quarantine.isIntact(first));
    await clone.adopt(quarantine, second);
    await quarantine.discard();

    const third = await tree.commit({ shallow: '3' });
    const later = await clone.quarantine();
    await later.takePack(sent(third, [second]));
    assert.ok(later.isIntact(third));
    await writeFile(join(later.directory, 'shallow'), `${second}\n${third}\n`);
    assert.ok(!later.isIntact(third));
    await later.discard();
  });

  test('clears what a run that was killed left', async () => {
    const clone = await open();
    await fetched(clone, await tree.commit({ torn: '1' }));
    clone.close();
    const objects = join(clone.directory, 'objects');
    const oid = writeLoose(objects, 'blob', Buffer.from('whole'));
    const torn = [`pack/tmp-0`, `pack/pack-${'0'.repeat(40)}.pack`, `${oid.slice(0, 2)}/tmp-0`];
    for (const name of torn) await writeFile(join(objects, name), 'torn');
    const unfinished = ['.told.2e3273yjwpv.tmp', 'refs/coffer/.accepted.0a.tmp'];
    for (const name of unfinished) await writeFile(join(clone.directory, name), 'half');
    const again = await Clone.open(clone.directory);
    const left = (await readdir(objects, { recursive: true })).filter((name) => torn.includes(name));
    for (const name of unfinished) assert.ok(!existsSync(join(clone.directory, name)));
    assert.deepEqual([left, again.repository.objects.has(oid)], [[], true]);
    assert.equal(again.repository.objects.packs().length, 1);
    again.close();
  });
});
