import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CofferError } from '../../core/errors.ts';
import { eventually } from '../operator/site.ts';
import { connectTo } from './scene/connect.ts';
import { SecretsScene } from './scene/secrets-scene.ts';

describe('what Kubernetes does not allow to change has a way out, which the error names', () => {
  test('an immutable Secret', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' } });
    await scene.kubectl('patch', 'secret', 'db', '-p', '{"immutable":true}');
    // Metadata can change still, and the same entries are no change.
    await scene.push(projector, { data: { a: '1' }, labels: { team: 'x' } });
    await scene.secrets.until('db', (secret) => secret?.metadata.labels?.team === 'x' && secret.immutable === true);
    const [refused] = await scene.push(projector, { data: { a: '2' } });
    assert.equal(refused?.error?.code, 'SECRET_IMMUTABLE');
    await followAdvice(scene, refused?.error);
    const secret = await scene.secretIs('db', { a: '2' });
    assert.equal(secret.immutable, undefined);
    assert.equal(secret.metadata.annotations?.['coffer.dev/recreate'], undefined);
  });

  test('another type', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' } });
    const [refused] = await scene.push(projector, { data: { a: '1' }, type: 'example.org/other' });
    assert.equal(refused?.error?.code, 'SECRET_TYPE_CHANGED');
    await scene.secretIs('db', { a: '1' });
    await followAdvice(scene, refused?.error);
    await scene.secrets.until('db', (secret) => secret?.type === 'example.org/other');
  });
});

describe('one Secret fails, says why, and keeps what was there; others go on', () => {
  test('larger than a Secret may be', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' } });
    const [refused] = await scene.push(projector, { data: { a: 'x'.repeat(1024 * 1024 + 1) } });
    assert.equal(refused?.error?.code, 'SECRET_TOO_LARGE');
    await scene.secretIs('db', { a: '1' });
    const [largest] = await scene.push(projector, { data: { a: 'x'.repeat(1024 * 1024) } });
    assert.equal(largest?.outcome, 'written');
  });

  test('a quota that is used up: tried again, and made when there is room', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    await scene.push(projector, { data: { a: '1' } });
    await scene.kubectl('create', 'quota', 'full', '--hard=count/secrets=1');
    // Before the quota controller comes to it.
    const status = { status: { hard: { 'count/secrets': '1' }, used: { 'count/secrets': '1' } } };
    await scene.kubectl('patch', 'quota', 'full', '--subresource=status', '--type=merge', '-p', JSON.stringify(status));
    // The API server judges by a cache, which is a moment behind what it has stored.
    const probe = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'probe' } };
    const isRoom = async () => {
      const path = `/api/v1/namespaces/${scene.namespace}/secrets?dryRun=All`;
      return (await scene.cluster.admin.ask('POST', path, probe)).status < 300;
    };
    await eventually(async () => assert.equal(await isRoom(), false));
    const [refused] = await scene.push(projector, { name: 'more', data: { a: '1' } });
    assert.equal(refused?.error?.code, 'KUBERNETES_QUOTA');
    assert.equal(refused?.error?.loop, 'retry');
    const [changed] = await scene.push(projector, { data: { a: '2' } });
    assert.equal(changed?.outcome, 'written');
    await scene.kubectl('delete', 'quota', 'full');
    await eventually(async () => assert.equal(await isRoom(), true));
    const [made] = await scene.project(projector, 'more');
    assert.equal(made?.outcome, 'written');
  });

  test('entries that do not fit the type: the error names the field and no value', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const projector = await scene.start();
    const [refused] = await scene.push(projector, { data: { a: 'canary-1f9c' }, type: 'kubernetes.io/tls' });
    assert.equal(refused?.error?.code, 'KUBERNETES_INVALID');
    assert.match(refused?.error?.message ?? '', /data\[tls\.crt\]/);
    assert.doesNotMatch(JSON.stringify(refused?.error) + refused?.error?.message, /canary/);
  });

  test('a namespace where RBAC lets it do nothing', async (t) => {
    const scene = await SecretsScene.open(t);
    if (scene === undefined) return;
    const allowed = await scene.addNamespace();
    const user = { namespace: scene.namespace, serviceAccount: 'default' };
    const account = `${user.namespace}:${user.serviceAccount}`;
    for (const namespace of [allowed, scene.namespace]) {
      const resources = namespace === allowed ? 'secrets' : 'leases';
      await scene.cluster.kubectl('-n', namespace, 'create', 'role', 'coffer', '--verb=*', `--resource=${resources}`);
      await scene.cluster.kubectl(
        '-n',
        namespace,
        'create',
        'rolebinding',
        'coffer',
        '--role=coffer',
        `--serviceaccount=${account}`,
      );
    }
    const kubeconfig = await scene.cluster.kubeconfigFor(user);
    const client = await connectTo(t, kubeconfig, { namespace: allowed });
    const projector = await scene.start({ client });
    const results = await scene.push(projector, { data: { a: '1' }, namespaces: [allowed] });
    const [here, there] = [scene.namespace, allowed].map((namespace) =>
      results.find(({ workload }) => workload === `${namespace}/db`),
    );
    assert.equal(here?.error?.code, 'KUBERNETES_FORBIDDEN');
    assert.match(here?.error?.message ?? '', new RegExp(scene.namespace));
    assert.equal(there?.outcome, 'written');
  });
});

async function followAdvice(scene: SecretsScene, error: CofferError | undefined): Promise<void> {
  const command = /(kubectl -n \S+ annotate secret \S+ \S+)$/.exec(error?.advice ?? '')?.[1];
  assert.ok(command, error?.advice ?? 'no error');
  await scene.cluster.kubectl(...command.split(' ').slice(1));
}
