import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { serveWithCertificate } from '../../operator/volumes/serving/serving-certificate.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { connectTo } from './scene/connect.ts';

test('the serving certificate stays over restarts, is renewed while it serves, and is made anew where it was damaged', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster, 'coffer');
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  const used: { certificate: string; hadKey: boolean; key: Buffer }[] = [];
  const told: string[] = [];
  const serve = (days = 0) =>
    serveWithCertificate({
      client,
      names: [`coffer-operator.${namespace}.svc`],
      now: () => new Date(Date.now() + days * 24 * 60 * 60 * 1000),
      use: ({ certificate, key }) => used.push({ certificate, hadKey: key.includes('PRIVATE KEY'), key }),
      failed: ({ code }) => told.push(code),
    });
  const published = async () => {
    const name = { namespace, name: 'coffer-serving-ca' };
    const found = await client.get<KubeObject & { data: Record<string, string> }>(RESOURCES.configMaps, name);
    return found?.data ?? {};
  };

  await serve();
  const { 'ca.crt': authority = '', serverName } = await published();
  assert.equal(serverName, `coffer-operator.${namespace}.svc`);
  await serve();
  await serve(61);
  const [first, again, renewed] = used.map(({ certificate }) => certificate);
  assert.equal(again, first);
  assert.notEqual(renewed, first);
  assert.ok(new X509Certificate(renewed ?? '').verify(new X509Certificate(authority).publicKey));
  assert.ok(
    used.every(({ hadKey, key }) => hadKey && key.every((byte) => byte === 0)),
    'keys are wiped after use',
  );

  const data = { 'tls.key': Buffer.from('something else').toString('base64') };
  await client.patch(RESOURCES.secrets, { namespace, name: 'coffer-serving-cert' }, { data }, { type: 'merge' });
  await serve(61);
  assert.deepEqual(told, ['VOLUME_CERTIFICATE_DAMAGED']);
  const { 'ca.crt': another = '' } = await published();
  const last = new X509Certificate(used.at(-1)?.certificate ?? '');
  assert.ok(last.verify(new X509Certificate(another).publicKey));
  await serve(61);
  assert.deepEqual(told, ['VOLUME_CERTIFICATE_DAMAGED']);
});
