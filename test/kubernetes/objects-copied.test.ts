import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, openCarried } from './scene/carrier.ts';

test('what somebody copies from git into objects of the only namespace where they may write opens nowhere', async (t) => {
  // Objects of theirs are even projected without a commit.
  const stage = await openCarried(t, { apps: 2, unverified: 1 });
  if (stage === undefined) return;
  const [app = '', theirs = ''] = stage.apps;
  const db = stage.manifest({ namespace: app, name: 'db', data: { a: 'secret' } });
  const wide = stage.manifest({ namespace: app, name: 'wide', scope: 'namespace', data: { a: 'secret' } });
  await stage.commit({ 'db.yaml': db, 'wide.yaml': wide });
  await stage.startAndProject();
  await apply(stage, stage.manifest({ namespace: theirs, name: 'own', data: { a: 'own' } }));
  await stage.secretIs(theirs, 'own', { a: 'own' });

  const moved = (manifest: string) => manifest.replace(`"namespace": "${app}"`, `"namespace": "${theirs}"`);
  await apply(stage, moved(db));
  await apply(stage, moved(wide).replace('"name": "wide"', '"name": "mine"'));
  const wider = moved(db).replace('"name": "db"', '"name": "wider"').replace('"scope": "strict"', '"scope": "cluster"');
  await apply(stage, wider);
  for (const name of ['db', 'mine', 'wider']) {
    await stage.condition(theirs, name, 'Ready', { status: 'False', reason: 'StanzaRefused' });
    await stage.condition(theirs, name, 'Verified', { status: 'False', reason: 'NoCommit' });
  }
  assert.deepEqual((await stage.secrets(theirs)).names(), ['own']);
  assert.deepEqual((await stage.secrets(app)).names(), []);
});
