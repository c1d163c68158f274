import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CofferError } from '../../core/errors.ts';
import { recipientFile } from '../../core/keys/create.ts';
import { CLUSTER, never, Pushing, type Way } from './pushing.ts';

const WAYS: readonly Way[] = ['path', 'http', 'ssh'];
const TIMES = 4;

const isCode = (code: string) => (error: unknown) =>
  error instanceof CofferError && error.code === code && error.loop === 'retry';

for (const way of WAYS) {
  test(`over ${way}, whoever pushes first is never overwritten, however often, and the operator gets through after them`, async (t) => {
    const bench = await Pushing.open(t);
    const git = await bench.configOf(way);
    const source = await bench.source(git);
    await source.poll(never);
    let first = 0;
    // The commit is signed after the branch was looked at: there somebody gets in between.
    const readIdentity = async () => {
      if (first < TIMES) await bench.push({ [`notes/${first++}.txt`]: 'faster' });
      return bench.keys.readIdentity();
    };
    const pusher = bench.pusher(git, source, { keys: { place: '', readIdentity } });
    const proposal = bench.proposal();
    for (let time = 0; time < TIMES; time++) {
      await assert.rejects(pusher.push(proposal, 'Rotate', never), isCode('PUSH_RACE'));
      await source.poll(never);
    }
    const pushed = await pusher.push(proposal, 'Rotate', never);
    assert.ok(pushed !== 'nothing' && pushed.commit === (await bench.head()));
    assert.equal(await bench.inBare('rev-list', '--count', 'main'), String(1 + TIMES + 1));
    assert.equal(await bench.inBare('diff', '--name-only', 'main~1', 'main'), recipientFile(CLUSTER));
  });
}

test('what the source has not accepted is not built upon, and it is told to look', async (t) => {
  const bench = await Pushing.open(t);
  const git = await bench.configOf('path');
  const source = await bench.source(git);
  let behind = 0;
  const pusher = bench.pusher(git, source, { isBehind: () => behind++ });
  await assert.rejects(pusher.push(bench.proposal(), 'Rotate', never), isCode('PUSH_WAITS'));
  await source.poll(never);
  const theirs = await bench.push({ 'notes.txt': 'new' });
  await assert.rejects(pusher.push(bench.proposal(), 'Rotate', never), isCode('PUSH_WAITS'));
  assert.equal(await bench.head(), theirs);
  assert.equal(behind, 1);
});

test('while a branch is what the source refuses, neither looks nor pushes are asked for at every look; once it accepts one, the push goes on at once', async (t) => {
  const bench = await Pushing.open(t);
  const git = await bench.configOf('path');
  const source = await bench.source(git);
  await source.poll(never);
  let now = Date.now();
  let behind = 0;
  const pusher = bench.pusher(git, source, { isBehind: () => behind++, now: () => new Date(now) });
  await bench.push({ 'notes.txt': 'not looked at, as if it was refused' });
  const proposal = bench.proposal();
  const tries = async () => {
    for (let time = 0; time < 5; time++) {
      await assert.rejects(pusher.push(proposal, 'Rotate', never), isCode('PUSH_WAITS'));
    }
  };
  await tries();
  assert.equal(behind, 1);
  now += 31_000;
  await tries();
  assert.equal(behind, 2);
  await source.poll(never);
  const pushed = await pusher.push(proposal, 'Rotate', never);
  assert.ok(pushed !== 'nothing' && pushed.isNew);
});

test('two operators and a person who push at the same time all get through, and nothing is lost', async (t) => {
  const bench = await Pushing.open(t);
  const git = await bench.configOf('path');
  const operator = async (of: 'production' | 'staging') => {
    const source = await bench.source(git, of);
    const pusher = bench.pusher(git, source, { stateDirectory: bench.stateOf(of) });
    for (let round = 0; round < 3; round++) {
      const proposal = bench.proposal(of);
      for (let done = false; !done; ) {
        await source.poll(never);
        done = await pusher.push(proposal, `Rotate ${of}`, never).then(
          () => true,
          (error: unknown) => {
            if (isCode('PUSH_RACE')(error) || isCode('PUSH_WAITS')(error)) return false;
            throw error;
          },
        );
      }
    }
  };
  const person = async () => {
    for (let round = 0; round < 3; round++) {
      for (let done = false; !done; ) {
        done = await bench.push({ [`notes/${round}.txt`]: 'theirs' }).then(
          () => true,
          (error: unknown) => {
            if (String(error).includes('rejected') || String(error).includes('failed to push')) return false;
            throw error;
          },
        );
      }
    }
  };
  await Promise.all([operator('production'), operator('staging'), person()]);
  assert.equal(await bench.inBare('rev-list', '--count', '--min-parents=0', 'main'), String(1 + 9));
  assert.equal(await bench.inBare('rev-list', '--count', '--merges', 'main'), '0');
  for (const name of ['production', 'staging']) {
    const file = await bench.file(recipientFile(name));
    assert.equal(file.match(/status: active/g)?.length, 1);
    assert.equal(file.match(/publicKey/g)?.length, 4);
  }
  await bench.inBare('fsck', '--strict');
});
