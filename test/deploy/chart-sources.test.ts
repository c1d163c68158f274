import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { readSettings } from '../../operator/config/read-settings.ts';
import { temporaryFile } from './files.ts';
import { LEAST, WITH_TRUST } from './helm.ts';
import { dataOf, named, type Rendered, render } from './rendered.ts';

interface PodSpec {
  containers: {
    env: { name: string; value?: string }[];
    ports: { name: string; containerPort: number }[];
    volumeMounts: { name: string; mountPath: string; subPath?: string }[];
  }[];
  volumes: { name: string; configMap?: { name: string }; secret?: object }[];
}

function podTemplate(objects: readonly Rendered[]): { spec: PodSpec; metadata: object } {
  const { spec } = named(objects, 'StatefulSet', 'coffer-operator') as unknown as {
    spec: { template: { spec: PodSpec; metadata: object } };
  };
  return spec.template;
}

/** Every path of a configuration that the chart writes, but those of the operator's own volume. */
function pathsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('/etc/coffer/') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(pathsIn) : [];
}

describe('what a source names', () => {
  test('is in the pod: each file in a volume that is mounted there, whole, so that kubelet brings changes', async (t) => {
    const objects = await render(t, WITH_TRUST);
    if (objects === undefined) return;
    const { 'operator.yaml': text = '' } = dataOf(objects, 'coffer-operator');
    const settings = await readSettings(await temporaryFile(t, 'operator.yaml', text));
    const paths = pathsIn([settings.sources, settings.webhooks]);
    assert.equal(paths.length, 10, String(paths));
    const { spec } = podTemplate(objects);
    for (const path of paths) {
      const mount = spec.containers[0]?.volumeMounts.find(({ mountPath }) => mountPath === dirname(path));
      const volume = spec.volumes.find(({ name }) => name === mount?.name);
      assert.ok(mount && volume && mount.subPath === undefined, `${path} is not mounted`);
      if (volume.configMap)
        assert.ok(dataOf(objects, volume.configMap.name)[path.slice(dirname(path).length + 1)], path);
    }
  });

  test('and who may change it may change without a restart of the operator', async (t) => {
    const files = { allowed_signers: 'eve@example.com ssh-ed25519 BBBB\n' };
    const before = await render(t, WITH_TRUST);
    const after = await render(t, { ...WITH_TRUST, trust: { ...WITH_TRUST.trust, files } });
    if (before === undefined || after === undefined) return;
    assert.notDeepEqual(dataOf(after, 'coffer-trust'), dataOf(before, 'coffer-trust'));
    assert.deepEqual(podTemplate(after), podTemplate(before));
  });

  test('may be kept by others', async (t) => {
    const objects = await render(t, { ...WITH_TRUST, trust: { configMapName: 'ours' } });
    if (objects === undefined) return;
    assert.ok(!objects.some(({ metadata }) => metadata.name === 'coffer-trust'));
    assert.ok(podTemplate(objects).spec.volumes.some(({ configMap }) => configMap?.name === 'ours'));
  });

  test('is reached through the NetworkPolicy, and by the proxy that is given', async (t) => {
    const objects = await render(t, WITH_TRUST);
    const least = await render(t, LEAST);
    const own = await render(t, { ...WITH_TRUST, git: { ...WITH_TRUST.git, ports: [7999] } });
    if (objects === undefined || least === undefined || own === undefined) return;
    const git = (from: readonly Rendered[]) => {
      const { spec } = named(from, 'NetworkPolicy', 'coffer-operator') as unknown as {
        spec: { egress: { ports: { port: number }[] }[] };
      };
      return spec.egress[2]?.ports.map(({ port }) => port);
    };
    // ssh with a port, https by a proxy, USER@HOST:PATH, and the proxy for all.
    assert.deepEqual(git(objects), [2222, 443, 3128, 22, 80]);
    assert.deepEqual(git(least), [443]);
    assert.deepEqual(git(own), [7999]);
    const env = podTemplate(objects).spec.containers[0]?.env.flatMap(({ name, value }) =>
      value ? [[name, value]] : [],
    );
    assert.deepEqual(env, [
      ['HTTPS_PROXY', 'http://proxy.example.com'],
      ['NO_PROXY', '.example.net'],
    ]);
  });
});

test('a webhook reaches the pod that leads, on the port that listens, by the one path', async (t) => {
  const objects = await render(t, WITH_TRUST);
  const least = await render(t, LEAST);
  if (objects === undefined || least === undefined) return;
  assert.ok(!least.some(({ metadata }) => metadata.name === 'coffer-webhooks'));
  const { spec: service } = named(objects, 'Service', 'coffer-webhooks') as unknown as {
    spec: { selector: Record<string, string>; ports: { name: string; targetPort: string }[] };
  };
  assert.equal(service.selector['coffer.dev/leader'], 'true');
  const [port] = service.ports;
  const listening = podTemplate(objects).spec.containers[0]?.ports.find(({ name }) => name === port?.targetPort);
  const { 'operator.yaml': text = '' } = dataOf(objects, 'coffer-operator');
  const { webhooks } = await readSettings(await temporaryFile(t, 'operator.yaml', text));
  assert.equal(webhooks?.listen.port, listening?.containerPort);
  const { spec } = named(objects, 'Ingress', 'coffer-webhooks') as unknown as {
    spec: { rules: { http: { paths: object[] } }[] };
  };
  assert.deepEqual(spec.rules[0]?.http.paths, [
    {
      path: '/webhooks',
      pathType: 'Exact',
      backend: { service: { name: 'coffer-webhooks', port: { name: port?.name } } },
    },
  ]);
});

test('what rotators change is reachable where the chart is told where it is', async (t) => {
  const rule = { ports: [{ port: 5432 }], to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] };
  const objects = await render(t, { ...LEAST, networkPolicy: { rotators: [rule] } });
  if (objects === undefined) return;
  const { spec } = named(objects, 'NetworkPolicy', 'coffer-operator') as unknown as { spec: { egress: object[] } };
  assert.deepEqual(spec.egress.at(-1), rule);
});
