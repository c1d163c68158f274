import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, type TestContext, test } from 'node:test';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { keyIdOfSeed } from '../../core/keys/key-id.ts';
import { Enrolment } from '../../operator/enrol/enrol.ts';
import { SecretKeyStore } from '../../operator/keys/secret-store.ts';
import type { KubeClient } from '../../operator/kubernetes/client.ts';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { Desk } from '../cli/desk.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { onDisk } from '../operator/tmpfs.ts';
import { connectTo } from './scene/connect.ts';

before(() => sodiumReady());

/** An operator's namespace, as its operator sees it. */
async function home(t: TestContext): Promise<{ cluster: Cluster; client: KubeClient; namespace: string } | undefined> {
  const cluster = await sharedCluster(t);
  if (cluster === undefined) return undefined;
  const namespace = await newNamespace(t, cluster, 'keys');
  return { cluster, namespace, client: await connectTo(t, cluster.kubeconfig, { namespace }) };
}

const storeIn = (client: KubeClient) => new SecretKeyStore(client, 'coffer-keys', 'production');

function enrolmentIn(t: TestContext, client: KubeClient) {
  const log = { info: () => undefined };
  const store = storeIn(client);
  return new Enrolment({
    cluster: 'production',
    stateDirectory: onDisk(t),
    pinsFile: '/nonexistent',
    store,
    sources: [],
    client,
    audit: { append: async () => undefined },
    log,
  });
}

describe('keys in a Secret', () => {
  test('an absent Secret has no key; what was stored is given back, and an identity is never replaced', async (t) => {
    const at = await home(t);
    if (at === undefined) return;
    const store = storeIn(at.client);
    assert.deepEqual([(await store.read()).keys.size, await store.readIdentity()], [0, undefined]);
    const [seed, identitySeed] = [randomBytes(32), randomBytes(32)];
    await store.storeIdentity(identitySeed);
    await store.store(seed);
    await assert.rejects(store.storeIdentity(randomBytes(32)), { code: 'IDENTITY_EXISTS' });
    assert.deepEqual(await store.readIdentity(), identitySeed);
    assert.deepEqual([...(await store.read()).keys.values()], [{ kid: keyIdOfSeed(seed), seed }]);
  });

  test('replicas that store at once lose nothing of each other', async (t) => {
    const at = await home(t);
    if (at === undefined) return;
    const seeds = Array.from({ length: 4 }, () => randomBytes(32));
    await Promise.all(seeds.map((seed) => storeIn(at.client).store(seed)));
    const { keys } = await storeIn(at.client).read();
    assert.deepEqual([...keys.keys()], seeds.map(keyIdOfSeed).toSorted());
  });

  test('a key that is removed takes no other along, also while another replica stores', async (t) => {
    const at = await home(t);
    if (at === undefined) return;
    const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    await storeIn(at.client).store(first);
    await storeIn(at.client).store(second);
    await Promise.all([storeIn(at.client).remove(keyIdOfSeed(first)), storeIn(at.client).store(third)]);
    await storeIn(at.client).remove(keyIdOfSeed(first));
    const { keys } = await storeIn(at.client).read();
    assert.deepEqual([...keys.keys()], [second, third].map(keyIdOfSeed).toSorted());
  });

  test('a damaged key is its own problem; one that may not be read is another, and is tried again', async (t) => {
    const at = await home(t);
    if (at === undefined) return;
    const { cluster, client, namespace } = at;
    await storeIn(client).store(randomBytes(32));
    const kid = 'ab'.repeat(16);
    const patch = JSON.stringify({ stringData: { [`${kid}.key`]: 'COFFER-SECRET-1-x' } });
    await cluster.kubectl('patch', 'secret', 'coffer-keys', '-n', namespace, '--type=merge', '-p', patch);
    const { keys, problems } = await storeIn(client).read();
    assert.deepEqual([keys.size, problems.map(({ code }) => code)], [1, ['KEY_TEXT_MISTYPED']]);
    const stranger = await connectTo(t, await cluster.kubeconfigFor({ namespace, serviceAccount: 'default' }), {
      namespace,
    });
    await assert.rejects(storeIn(stranger).read(), { code: 'KUBERNETES_FORBIDDEN' });
  });
});

describe('the first start in a cluster', () => {
  test('makes identity and key once, whatever replicas start at once, and announces them', async (t) => {
    const at = await home(t);
    if (at === undefined) return;
    const replicas = Array.from({ length: 3 }, () => enrolmentIn(t, at.client));
    await Promise.all(replicas.map((replica) => replica.look()));
    for (const replica of replicas) await replica.look();
    assert.deepEqual(
      replicas.flatMap((replica) => replica.troubles()),
      [],
    );
    const { keys } = await storeIn(at.client).read();
    const name = { namespace: at.namespace, name: 'coffer-recipient' };
    const announced = await at.client.get<{ metadata: { name: string }; data: Record<string, string> }>(
      RESOURCES.configMaps,
      name,
    );
    assert.ok([...keys.keys()].some((kid) => announced?.data['recipient.yaml']?.includes(kid)));
    assert.doesNotMatch(JSON.stringify(announced), /COFFER-/);
  });

  test('is followed by a person: coffer recipients enroll fetches, compares, pins and commits', async (t) => {
    const at = await home(t);
    if (at === undefined) return;
    const { cluster, client, namespace } = at;
    await enrolmentIn(t, client).look();
    const identity = await cluster.kubectl(
      'get',
      'configmap',
      'coffer-recipient',
      '-n',
      namespace,
      '-o',
      'jsonpath={.data.identity}',
    );
    const desk = new Desk();
    t.after(() => desk.remove());
    desk.installCoffer();
    desk.coffer(['init']);
    desk.commit('Begin');
    const where = ['--kubeconfig', cluster.kubeconfig, '--namespace', namespace];
    const enrolled = JSON.parse(
      desk.coffer(['recipients', 'enroll', 'production', ...where, '--identity', identity, '--json']),
    );
    assert.deepEqual([enrolled.identity, enrolled.changed], [identity, true]);
    assert.match(
      desk.git('show', '--stat', '--format=%s'),
      /Enrol production\n\n \.coffer\/recipients\/production\.yaml/,
    );
    desk.coffer(['new', 'payments/db', '--recipient', 'production', '--reader', 'api', '-o', 'db.yaml']);
    desk.coffer(['set', 'db.yaml', 'password'], 'sealed to the new cluster');

    const elsewhere = desk.try(['recipients', 'enroll', 'other', ...where]);
    assert.match(elsewhere.stderr, /^error ENROLL_NAME: /);
    const empty = desk.try([
      'recipients',
      'enroll',
      'other',
      '--kubeconfig',
      cluster.kubeconfig,
      '--namespace',
      'default',
    ]);
    assert.match(empty.stderr, /^error ENROLL_NOT_ANNOUNCED: /);
  });
});
