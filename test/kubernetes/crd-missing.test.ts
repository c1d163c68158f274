import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import type { EncryptedSecretObject } from '../../operator/publish/mirror.ts';
import { CLUSTER_PARTS, startCluster } from '../cluster/cluster.ts';
import { eventually } from '../operator/site.ts';
import { partOrSkip } from '../parts/parts.ts';
import { MirrorsScene } from './scene/mirrors-scene.ts';

const DEFINITION = join(import.meta.dirname, '../../deploy/helm/coffer/files/crd/encryptedsecrets.yaml');
const NAME = 'crd/encryptedsecrets.coffer.dev';

interface Definition {
  spec: {
    versions: {
      schema: { openAPIV3Schema: { properties: Record<string, { properties: Record<string, unknown> }> } };
    }[];
  };
}

/** Of a version of coffer that did not know mirrors yet, nor a manifest's type. */
async function olderDefinition(directory: string): Promise<string> {
  const definition = load(await readFile(DEFINITION, 'utf8')) as Definition;
  const { spec, status } = definition.spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
  delete spec?.properties.scope;
  delete status?.properties.mirror;
  const schema = JSON.stringify(definition).replace(/,\{"rule":"!has\(self\.namespaces\)[^}]*\}/, '');
  const file = join(directory, 'older.json');
  await writeFile(file, schema.replace(/\{"rule":"!has\(self\.scope\)[^}]*\},/, ''));
  return file;
}

test('where the kind is missing, older or taken away, the operator says so, and makes mirrors when it is back', async (t) => {
  for (const part of CLUSTER_PARTS) if (!(await partOrSkip(t, part))) return;
  const cluster = await startCluster({ controllers: false });
  const scene = await MirrorsScene.open(t, cluster);
  if (scene === undefined) return;
  const { objects, namespace } = scene;
  scene.commit('db', { PASSWORD: 'one' });
  const { publisher } = await scene.start();
  // The last: what talks to it ends before.
  t.after(() => cluster.stop());
  const code = () => publisher.trouble?.code;
  const carry = () => publisher.carry([...scene.git].map(([home, manifest]) => ({ home, manifest, isGit: true })));
  assert.deepEqual(await carry(), new Map());
  await objects.until('db', (object) => object !== undefined);
  assert.equal(code(), undefined);

  await cluster.kubectl('delete', NAME);
  await objects.until('db', (object) => object === undefined);
  scene.commit('api', { TOKEN: 'two' });
  // The server goes on with the kind for a moment.
  await eventually(async () => {
    assert.deepEqual(await carry(), new Map(), 'no secret fails for want of its mirror');
    publisher.tell([scene.statusOf('db'), scene.statusOf('api')]);
    assert.equal(code(), 'MIRROR_KIND_MISSING');
  });

  await cluster.kubectl('apply', '--server-side', '-f', await olderDefinition(cluster.directory));
  await cluster.kubectl('wait', '--for=condition=Established', '--timeout=240s', NAME);
  await eventually(() => assert.equal(code(), 'MIRROR_KIND_OLD'));
  assert.match(publisher.trouble?.advice ?? '', /secrets are projected from git all the same/);
  assert.deepEqual(objects.names(), []);

  await cluster.kubectl('apply', '--server-side', '--force-conflicts', '-f', DEFINITION);
  for (const name of ['db', 'api']) {
    await objects.until(name, (object) => object?.status?.conditions?.length === 2);
    // A watch that began before shows objects as the older definition had them until the server ends it, after minutes.
    await eventually(async () => {
      const found = { namespace, name };
      const mirror = await scene.client.get<EncryptedSecretObject>(RESOURCES.encryptedSecrets, found);
      assert.equal(mirror?.spec?.scope, 'strict');
      assert.equal(mirror?.status?.mirror, true);
    });
  }
  await eventually(() => assert.equal(code(), undefined));
});
