import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { test } from 'node:test';
import { DirectoryKeyStore } from '../../operator/keys/directory-store.ts';
import { Lives } from './lives.ts';
import { withSpec } from './rotating.ts';

const COUNT = 12;

test('values that wait to be merged are neither read nor parsed at each look, until a commit or a pin is new', async (t) => {
  const rotation = { token: { generate: { kind: 'hex' }, keepPrevious: '1h' } };
  const lives = await Lives.open(t, (stage) =>
    Object.fromEntries(
      Array.from({ length: COUNT }, (_, index) => {
        const text = stage.manifest({ namespace: 'payments', name: `api-${index}`, data: { token: 'first' } });
        return [`api-${index}.json`, withSpec(text, { rotation })];
      }),
    ),
  );
  const operator = await lives.begin({ mayPush: false, exposed: () => true });
  const keys = t.mock.method(DirectoryKeyStore.prototype, 'read').mock;
  await operator.look();
  assert.equal(keys.callCount(), 1, 'the secret keys are read once, however much is opened');
  await operator.look();
  const waiting = { due: COUNT, underway: COUNT, failed: 0, done: 0 };
  assert.deepEqual(operator.rotation.status().rotations, waiting);
  const reads = t.mock.method(operator.run.source.repository, 'readBlob').mock;
  const readsOfLook = async () => {
    reads.resetCalls();
    await operator.rotation.look();
    await operator.rotation.settled();
    assert.deepEqual(operator.rotation.status().rotations, waiting);
    return reads.callCount();
  };
  assert.equal(await readsOfLook(), 0);
  await lives.stage.tree.commit({ 'README.md': 'nothing to do with it\n' });
  await operator.run.poll();
  assert.ok((await readsOfLook()) >= COUNT, 'another commit may have taken them over');
  assert.equal(await readsOfLook(), 0);
  await appendFile(lives.stage.path('pins'), '# as before\n');
  assert.ok((await readsOfLook()) >= COUNT, 'the pins may have come to refuse a recipient');
  await operator.end();
});
