import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRecipient } from '../../core/keys/create.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { openRetiredSeed } from '../../core/keys/retired-key.ts';
import { renderRequest, requestFile, retireRequest } from '../../core/requests/request.ts';
import { readProposal } from '../../core/rotation/proposal.ts';
import { SecretKeyStore } from '../../operator/keys/secret-store.ts';
import { type KubeObject, RESOURCES } from '../../operator/kubernetes/resource.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { onDisk } from '../operator/tmpfs.ts';
import { KeysStage, look } from '../rotate/keys-stage.ts';
import { recipientFiles, sealingKey } from '../support/secrets.ts';
import { connectTo } from './scene/connect.ts';

type ConfigMap = KubeObject & { data?: Record<string, string> };

test('a key turns over in a cluster whichever replica goes on: one new key, collected from ConfigMaps, the former kept for recovery', async (t) => {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return;
  const namespace = await newNamespace(t, cluster, 'rotate');
  const client = await connectTo(t, cluster.kubeconfig, { namespace });
  const stage = await KeysStage.open(t);
  const store = new SecretKeyStore(client, 'coffer-keys', 'production');
  await store.store(stage.production.seed);
  await store.storeIdentity(stage.production.identitySeed);
  /** With a volume of its own, which is empty. */
  const replica = () => stage.operator({ client, store, stateDirectory: onDisk(t) });
  const kids = async () => [...(await store.read()).keys.keys()];
  const published = async () => {
    const labelSelector = 'coffer.dev/proposal=rewrap-production';
    const { items } = await client.list<ConfigMap>(RESOURCES.configMaps, { namespace, labelSelector });
    const parts = items.flatMap(({ data }) => data?.['part.json'] ?? []);
    const publisher = { id: 'rewrap-production', cluster: 'production', identity: stage.production.recipient.identity };
    return parts.length === 0 ? undefined : readProposal(parts, publisher);
  };

  await stage.commit({ 'db.yaml': stage.manifest('db', { password: 'one' }) });
  await stage.ask();
  assert.deepEqual(await look(replica()), []);
  const first = await published();
  assert.deepEqual(await look(replica()), []);
  assert.deepEqual(await published(), first);
  assert.equal((await kids()).length, 2);

  // Each has led before, and found something else: what the other published since is what counts.
  const volumes = [onDisk(t), onDisk(t)];
  const lines: string[] = [];
  const log = { info: (line: string) => void lines.push(line), thrown: () => undefined };
  const led = (at: number) => stage.operator({ client, store, log, stateDirectory: volumes[at] ?? '' });
  await look(led(0));
  await stage.commit({ 'more.yaml': stage.manifest('more', { password: 'two' }) });
  await look(led(1));
  const both = await published();
  assert.equal(both?.stanzas.size, 2);
  await look(led(0));
  assert.deepEqual(await published(), both);
  const place = `--from-cluster --namespace ${namespace} (ConfigMaps with the label coffer.dev/proposal=rewrap-production)`;
  assert.ok(
    lines.includes(`to be collected: Rotate the key of production: coffer recipients rewrap production ${place}`),
  );

  const collecting = stage.operator({ client, store });
  await look(collecting);
  await stage.collect();
  await look(collecting);
  assert.equal(await published(), undefined);
  const [newest, former] = stage.listed.keys;
  assert.deepEqual([newest?.status, former?.status], ['active', 'retired']);
  assert.deepEqual(Object.keys(stage.stanzasOf('db.yaml')), [newest?.kid]);

  const recovery = createRecipient({ name: 'recovery', type: 'recovery', created: '2026-11-21T09:00:00Z' });
  writeFileSync(join(stage.root, 'pins'), `recovery ${identityText(recovery.recipient.identity)}\n`);
  const key = former?.kid ?? '';
  const request = retireRequest({ recipient: 'production', key, created: '2026-11-21T10:00:00Z' });
  await stage.commit({ ...recipientFiles(recovery), [requestFile(request.id)]: renderRequest(request) });
  const grace = 3_600_000;
  assert.deepEqual(await look(stage.operator({ client, store, stateDirectory: onDisk(t), grace })), []);
  assert.equal((await kids()).length, 2);
  stage.now = new Date(stage.now.getTime() + grace);
  // What one replica has seen counts for the next.
  assert.deepEqual(await look(stage.operator({ client, store, stateDirectory: onDisk(t), grace })), []);
  assert.deepEqual(await kids(), [newest?.kid]);
  const map = await client.get<ConfigMap>(RESOURCES.configMaps, { namespace, name: 'coffer-retired-keys' });
  const kept = JSON.parse(map?.data?.[`${key}.json`] ?? '{}');
  const opening = { ...sealingKey(recovery), seed: recovery.seed };
  assert.deepEqual(
    openRetiredSeed(kept.seed.recovery, { recipient: 'production', kid: key }, opening),
    Buffer.from(stage.production.seed),
  );
  assert.deepEqual((await published())?.fulfils, [request.id]);
});
