import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sodiumReady } from '../../../core/crypto/sodium.ts';
import { sealedManifest, testCluster } from '../../../test/support/secrets.ts';
import { Claims } from '../state/claims.ts';
import { State } from '../state/state.ts';
import { ObjectsWatched } from './objects-watched.ts';
import { Vouching } from './vouching.ts';

test('an object that becomes another while objects are looked at is looked at again', async (t) => {
  await sodiumReady();
  const directory = await mkdtemp(join(tmpdir(), 'coffer-objects-'));
  const state = await State.open(directory);
  t.after(async () => {
    await state.close();
    await rm(directory, { recursive: true });
  });
  const to = [testCluster('production')];
  const text = (name: string, value: string) =>
    Buffer.from(sealedManifest({ namespace: 'payments', name, to, data: { value } }));
  const texts = new Map([
    ['payments/a', text('a', 'one')],
    ['payments/b', text('b', 'one')],
  ]);
  const watched = new ObjectsWatched({
    store: {
      synced: Promise.resolve(),
      trouble: () => undefined,
      *foreign() {
        for (const name of ['a', 'b']) yield { namespace: 'payments', name, isMirror: false };
      },
      get: () => ({ uid: '1', isMirror: false }),
      manifestText: (key) => texts.get(key) ?? Buffer.alloc(0),
      onChange: () => {},
    },
    isCarried: () => true,
    isUnverifiedAllowed: () => true,
    cluster: 'production',
    git: [],
    vouching: new Vouching([], new Claims()),
    namespaces: () => ['payments'],
  });
  watched.sync();
  const advancing = watched.advance(state);
  // By now it has read the first.
  texts.set('payments/a', text('a', 'two'));
  watched.recheck(['payments/a']);
  await advancing;
  const update = await watched.advance(state);
  const [claim] = update?.added ?? [];
  assert.equal(claim?.path, 'payments/a');
  assert.ok(claim !== undefined && (await watched.read({ ...claim, ...claim.origin })));
});
