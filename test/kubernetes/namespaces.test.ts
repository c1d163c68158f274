import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { KubernetesStage } from './stage.ts';

test('a namespace that is missing, then made, then deleted: its secret fails with the reason, and others go on', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const late = `late-${randomBytes(4).toString('hex')}`;
  stage.configure({ secrets: { namespaces: [stage.app, late] } });
  t.after(() => stage.kubectl('delete', 'namespace', late, '--ignore-not-found', '--wait=false'));
  await stage.commit({
    ...stage.files({ name: 'db', data: { a: '1' } }),
    'late.yaml': stage.manifest({ namespace: late, name: 'late', data: { a: '1' } }),
  });
  const operator = await stage.startAndProject();
  await stage.secretIs(stage.app, 'db', { a: '1' });
  await operator.line(({ code, namespace }) => code === 'KUBERNETES_NAMESPACE_MISSING' && namespace === late);
  await stage.kubectl('create', 'namespace', late);
  await stage.secretIs(late, 'late', { a: '1' });
  await stage.condition(late, 'late', 'Ready', { status: 'True' });

  await stage.kubectl('patch', 'secret', 'late', '-n', late, '-p', '{"metadata":{"finalizers":["example.org/hold"]}}');
  const secrets = await stage.secrets(late);
  await stage.kubectl('delete', 'namespace', late, '--wait=false');
  await secrets.until('late', (secret) => secret?.metadata.deletionTimestamp !== undefined);
  await stage.push(operator, {
    ...stage.files({ name: 'db', data: { a: '2' } }),
    'late.yaml': stage.manifest({ namespace: late, name: 'late', data: { a: '2' } }),
  });
  await stage.secretIs(stage.app, 'db', { a: '2' });
  await operator.line(({ code, namespace }) => code === 'KUBERNETES_TERMINATING' && namespace === late);
  await stage.client.patch(
    RESOURCES.secrets,
    { namespace: late, name: 'late' },
    { metadata: { finalizers: null } },
    { type: 'merge' },
  );
  await secrets.until('late', (secret) => secret === undefined);
  assert.equal(await operator.end(), 0);
});
