import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { eventually, type OperatorProcess } from '../operator/site.ts';
import { KubernetesStage } from './stage.ts';

interface Row {
  namespace: string;
  name: string;
  state: string;
  trouble?: { code: string };
}

async function isInTrouble(operator: OperatorProcess, namespace: string, code: string): Promise<void> {
  await eventually(async () => {
    const { secrets } = (await operator.status()) as { secrets: Row[] };
    assert.equal(secrets.find((row) => row.namespace === namespace)?.trouble?.code, code);
  });
}

test('a namespace that is missing, made, deleted and made anew: its secrets say so and follow, the others go on', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app, cluster } = stage;
  const late = `late-${randomBytes(4).toString('hex')}`;
  const create = () => cluster.kubectl('create', 'namespace', late);
  t.after(() => cluster.kubectl('delete', 'namespace', late, '--ignore-not-found', '--wait=false'));
  stage.configure({ secrets: { namespaces: [app, late] } });
  const wide = { name: 'pull', scope: 'cluster' as const, namespaces: ['late-*'] };
  await stage.commit({
    ...stage.files({ name: 'mail', data: { a: 'one' } }, { ...wide, data: { a: 'one' } }),
    'db.yaml': stage.manifest({ namespace: late, name: 'db', data: { a: 'one' } }),
  });
  const operator = await stage.startAndProject();
  await stage.secretIs(app, 'mail', { a: 'one' });
  await stage.secretIs(app, 'pull', { a: 'one' });
  await isInTrouble(operator, late, 'KUBERNETES_NAMESPACE_MISSING');

  await create();
  await stage.secretIs(late, 'db', { a: 'one' });
  await stage.secretIs(late, 'pull', { a: 'one' });
  await stage.condition(late, 'db', 'Ready', { status: 'True' });

  // What somebody holds with a finalizer keeps the namespace terminating.
  await stage.kubectl('-n', late, 'create', 'configmap', 'holds');
  const finalizers = (list: string) => `{"metadata":{"finalizers":${list}}}`;
  await stage.kubectl('-n', late, 'patch', 'configmap', 'holds', '-p', finalizers('["coffer.dev/test"]'));
  await cluster.kubectl('delete', 'namespace', late, '--wait=false');
  await isInTrouble(operator, late, 'KUBERNETES_TERMINATING');
  await stage.push(operator, {
    'db.yaml': stage.manifest({ namespace: late, name: 'db', data: { a: 'two' } }),
    ...stage.files({ name: 'mail', data: { a: 'two' } }),
  });
  await stage.secretIs(app, 'mail', { a: 'two' });
  await isInTrouble(operator, late, 'KUBERNETES_TERMINATING');
  await stage.kubectl('-n', late, 'patch', 'configmap', 'holds', '--type=merge', '-p', finalizers('null'));
  await isInTrouble(operator, late, 'KUBERNETES_NAMESPACE_MISSING');
  await create();
  await stage.secretIs(late, 'db', { a: 'two' });
  await stage.secretIs(late, 'pull', { a: 'one' });
});
