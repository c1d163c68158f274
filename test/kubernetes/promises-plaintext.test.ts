import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { KubernetesStage } from './scene/stage.ts';

const CANARIES = ['canary-4f1d-"quoted"', 'canary-77aa-second', 'canary-9b0e-emergency'] as const;

test('promise 7 on Kubernetes: no value in any log, Event, status, metric, file or object but the Secret', async (t) => {
  const stage = await KubernetesStage.open(t, { apps: 2 });
  if (stage === undefined) return;
  const { app } = stage;
  const [first, second, emergency] = CANARIES;
  // A day on which everything goes wrong: refused by the server, by quota, by a type, by somebody else's Secret; patched and healed.
  await stage.kubectl('create', 'secret', 'generic', 'theirs', `--from-literal=a=${emergency}`);
  await stage.commit({
    ...stage.files({ name: 'db', data: { a: first } }, { name: 'theirs', data: { a: first } }),
    'tls.yaml': withType(stage.manifest({ name: 'tls', data: { a: first } }), 'kubernetes.io/tls'),
    'pull.yaml': withType(
      stage.manifest({ name: 'pull', data: { '.dockerconfigjson': first } }),
      'kubernetes.io/dockerconfigjson',
    ),
    'label.yaml': stage.manifest({ name: 'huge', data: { a: first.padEnd(1_100, 'x') } }),
  });
  const operator = await stage.startAndProject();
  await stage.secretIs(app, 'db', { a: first });
  for (const name of ['tls', 'pull', 'theirs']) await stage.condition(app, name, 'Ready', { status: 'False' });
  await stage.push(operator, stage.files({ name: 'db', data: { a: second } }));
  await stage.secretIs(app, 'db', { a: second });
  const patch = { data: { a: Buffer.from(emergency).toString('base64') }, immutable: true };
  await stage.client.patch(RESOURCES.secrets, { namespace: app, name: 'db' }, patch, { type: 'merge' });
  await stage.condition(app, 'db', 'Ready', { status: 'False' });
  assert.deepEqual(await stage.leaks(CANARIES), []);
  assert.equal(await operator.end(), 0);
  assert.deepEqual(await stage.leaks(CANARIES), []);
  // The search finds what is there, as the API server would show it.
  const leak = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'leak' },
    data: { x: `"${btoa(`é${second}!`)}"` },
  };
  await stage.client.create(RESOURCES.configMaps, leak, { namespace: app });
  assert.deepEqual(await stage.leaks(CANARIES), [`configMaps ${app}/leak`]);
});

test('promise 8 on Kubernetes: plaintext and foreign ciphertext in git are errors with file, line and entry, and no Secret', async (t) => {
  const stage = await KubernetesStage.open(t);
  if (stage === undefined) return;
  const { app } = stage;
  const sealed = JSON.parse(stage.manifest({ name: 'plain', data: { a: '1', b: '2' } }));
  sealed.spec.data.b = CANARIES[0];
  const foreign = JSON.parse(stage.manifest({ name: 'foreign', data: { a: '1', b: '2' } }));
  foreign.spec.data.b = 'EJ[1:AAAA:BBBB:CCCC]';
  await stage.commit({
    'plain.yaml': JSON.stringify(sealed, null, 2),
    'foreign.yaml': JSON.stringify(foreign, null, 2),
    ...stage.files({ name: 'good', data: { a: '1' } }),
  });
  const operator = await stage.startAndProject();
  await stage.secretIs(app, 'good', { a: '1' });
  for (const [name, code] of [
    ['plain', 'MANIFEST_PLAINTEXT'],
    ['foreign', 'VALUE_MALFORMED'],
  ] as const) {
    const trouble = await operator.line((line) => line.code === code);
    assert.match(String(trouble.place), new RegExp(`^${name}\\.yaml:\\d+`));
    assert.equal(trouble.entry, 'b');
    assert.equal(await stage.client.get(RESOURCES.secrets, { namespace: app, name }), undefined);
  }
  assert.deepEqual(await stage.leaks([CANARIES[0]]), []);
});

function withType(manifest: string, type: string): string {
  const document = JSON.parse(manifest);
  document.spec.type = type;
  return JSON.stringify(document, null, 2);
}
