import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSealedSecrets } from './scene/sealed-secrets.ts';
import { holds, textsOf } from './scene/secret-texts.ts';
import { KubernetesStage } from './scene/stage.ts';

const VALUES = { user: 'app', password: 'pa55' };

test('a live namespace of sealed-secrets is moved over without an interruption, and stays when those are deleted', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app } = stage;
  const sealed = await startSealedSecrets(t, stage.cluster, app);
  if (sealed === undefined) return;
  const secrets = await stage.secrets();
  const names = ['db', 'mail', 'left-behind'];
  for (const name of names) await sealed.apply(name, app, VALUES);
  for (const name of names) await secrets.until(name, (secret) => holds(secret, VALUES));
  secrets.history.length = 0;

  await stage.commit(stage.files({ name: 'db', data: VALUES }, { name: 'mail', data: VALUES }));
  await stage.startAndProject();
  const { message } = await stage.condition(app, 'db', 'Ready', { status: 'False' });
  assert.match(message, /coffer\.dev\/adopt=true/);
  await stage.kubectl('annotate', 'secret', 'db', 'mail', 'coffer.dev/adopt=true');
  for (const name of ['db', 'mail']) {
    const secret = await secrets.until(name, (seen) => seen?.metadata.labels?.['coffer.dev/projected'] === 'true');
    assert.equal(secret?.metadata.ownerReferences, undefined);
    await stage.condition(app, name, 'Ready', { status: 'True' });
  }

  // While both are there, a change of the SealedSecret does not reach it any more.
  await sealed.apply('db', app, { user: 'app', password: 'changed' });
  await stage.kubectl('wait', 'sealedsecret/db', '--for=condition=Synced=false', '--timeout=240s');
  await stage.kubectl('delete', 'sealedsecrets', '--all');
  await secrets.until('left-behind', (secret) => secret === undefined);

  for (const { name, object } of secrets.history) {
    if (name !== 'db' && name !== 'mail') continue;
    assert.ok(object, `${name} was gone`);
    assert.deepEqual(textsOf(object), { password: 'pa55', user: 'app' });
  }
  await stage.secretIs(app, 'db', VALUES);
  await stage.secretIs(app, 'mail', VALUES);
});
