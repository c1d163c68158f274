/** What the operator says of readers, on a real API server. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EventToEmit } from '../../operator/kubernetes/events.ts';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import type { SecretReaders } from '../../operator/project/readers/namespace-readers.ts';
import { openReaders, type Readers } from '../../operator/project/readers/readers.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { eventually } from '../operator/site.ts';
import { partOrSkip } from '../parts/parts.ts';
import { connectTo } from './scene/connect.ts';
import { Onlooker } from './scene/onlooker.ts';
import { wanted } from './scene/wanted-secret.ts';

const NAME = 'coffer';

interface Opened {
  readers: Readers;
  events: EventToEmit[];
  stop(): Promise<void>;
}

/** As a run of the operator opens it. */
async function run(t: TestContext, cluster: Cluster, namespaces: readonly string[]): Promise<Opened> {
  const client = await connectTo(t, cluster.kubeconfig);
  const events: EventToEmit[] = [];
  const end = new AbortController();
  const readers = openReaders({ client, namespaces, events: { emit: (event) => events.push(event) }, settle: 0 });
  const running = readers.run(end.signal);
  const stop = async () => {
    end.abort();
    await running;
  };
  t.after(stop);
  await readers.synced;
  return { readers, events, stop };
}

async function scene(t: TestContext) {
  const cluster = await sharedCluster(t);
  if (!cluster) return undefined;
  const namespace = await newNamespace(t, cluster, 'readers');
  const objects = await Onlooker.open<SecretReaders>(
    t,
    await connectTo(t, cluster.kubeconfig),
    RESOURCES.secretReaders,
    namespace,
  );
  return { cluster, namespace, objects };
}

const API = [{ name: 'api' }];
const FAILED = new Map();

test('one object a namespace says who may read, in one write for a batch, and an unchanged state writes nothing, across restarts too', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { cluster, namespace, objects } = at;
  const other = await newNamespace(t, cluster, 'readers');
  const batch = [
    wanted('db', [namespace, other], [{ name: 'api' }, { name: 'worker', entries: ['PASSWORD'] }]),
    wanted('pull', [namespace], [{ name: '*' }]),
    wanted(
      'both',
      [namespace],
      [
        { name: '*', entries: ['PASSWORD'] },
        { name: 'api', entries: ['USERNAME'] },
      ],
    ),
    wanted('none', [namespace], []),
  ];
  const first = await run(t, cluster, [namespace, other]);
  assert.equal(
    batch.some((one) => first.readers.isCurrent(one)),
    false,
  );
  assert.deepEqual(await first.readers.prepare(batch), FAILED);
  assert.equal(
    batch.every((one) => first.readers.isCurrent(one)),
    true,
  );
  assert.deepEqual(await first.readers.prepare(batch), FAILED);
  const written = await objects.until(NAME, (object) => object !== undefined);
  assert.deepEqual(written?.spec.secrets, {
    both: ['*/PASSWORD', 'api'],
    db: ['api', 'worker/PASSWORD'],
    none: [],
    pull: ['*'],
  });
  await first.stop();

  const second = await run(t, cluster, [namespace, other]);
  assert.equal(
    batch.every((one) => second.readers.isCurrent(one)),
    true,
  );
  assert.deepEqual(await second.readers.prepare(batch), FAILED);
  await second.readers.keepOnly(
    batch.flatMap((one) => one.audience.map(({ workload }) => nameOf(workload))),
    () => true,
  );
  const now = await (await connectTo(t, cluster.kubeconfig)).get(RESOURCES.secretReaders, { namespace, name: NAME });
  assert.equal(now?.metadata.resourceVersion, written?.metadata.resourceVersion);
});

function nameOf(workload: string) {
  const [namespace = '', name = ''] = workload.split('/');
  return { namespace, name };
}

test('what others change of it is put back, and a deleted object comes back; at the start only what a manifest vouches for stays', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { cluster, namespace, objects } = at;
  const { readers, stop } = await run(t, cluster, [namespace]);
  await readers.prepare([wanted('db', [namespace], API)]);
  const url = `/apis/coffer.dev/v1/namespaces/${namespace}/secretreaders/${NAME}`;
  const isRight = (object: SecretReaders | undefined) => JSON.stringify(object?.spec.secrets) === '{"db":["api"]}';
  const edit = async (secrets: object) => {
    const before = objects.history.length;
    const { status } = await cluster.admin.ask('PATCH', url, { spec: { secrets } }, 'application/merge-patch+json');
    assert.equal(status, 200);
    // It may be put back before the answer is here.
    const isSeen = () => objects.history.slice(before).some(({ object }) => object !== undefined && !isRight(object));
    await objects.until(NAME, isSeen);
  };
  await edit({ db: ['*'] });
  await objects.until(NAME, isRight);
  await edit({ extra: ['*'] });
  await objects.until(NAME, isRight);
  await cluster.admin.expect('DELETE', url);
  const gone = () => objects.history.some(({ object }) => object === undefined);
  await objects.until(NAME, (object) => gone() && isRight(object));
  await stop();

  await edit({ db: ['*'], extra: ['*'] });
  const again = await run(t, cluster, [namespace]);
  assert.equal(again.readers.isCurrent(wanted('db', [namespace], API)), false);
  await again.readers.prepare([wanted('db', [namespace], API)]);
  await again.readers.keepOnly([], () => false);
  assert.equal(again.readers.isCurrent(wanted('db', [namespace], API)), true);
  await again.readers.keepOnly([{ namespace, name: 'db' }], () => true);
  await objects.until(NAME, isRight);
});

test('a secret is taken out after it went, and a namespace without any has no object', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { cluster, namespace, objects } = at;
  const { readers } = await run(t, cluster, [namespace]);
  await readers.prepare([wanted('db', [namespace], API), wanted('pull', [namespace], API)]);
  await readers.forget([{ namespace, name: 'db' }]);
  await objects.until(NAME, (object) => JSON.stringify(object?.spec.secrets) === '{"pull":["api"]}');
  assert.equal(readers.isCurrent(wanted('db', [namespace], API)), false);
  await readers.forget([
    { namespace, name: 'pull' },
    { namespace, name: 'unknown' },
  ]);
  await objects.until(NAME, (object) => object === undefined);
});

test('secrets that are taken out at the same time cost one or two writes, not one each', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { cluster, namespace, objects } = at;
  const { readers } = await run(t, cluster, [namespace]);
  const names = Array.from({ length: 20 }, (_, index) => `db-${index}`);
  await readers.prepare(['kept', ...names].map((name) => wanted(name, [namespace], API)));
  await Promise.all(names.map((name) => readers.forget([{ namespace, name }])));
  await objects.until(NAME, (object) => JSON.stringify(object?.spec.secrets) === '{"kept":["api"]}');
  // Versions of the status hold as many secrets as the one before.
  const sizes = new Set(objects.history.map(({ object }) => Object.keys(object?.spec.secrets ?? {}).length));
  assert.ok(sizes.size <= 3, [...sizes].join(' '));
  await readers.forget([{ namespace, name: 'kept' }]);
  await objects.until(NAME, (object) => object === undefined);
});

test('a namespace that cannot be written fails alone, and so does one with more than an object can hold', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { cluster, namespace, objects } = at;
  // A glob that nobody else's namespaces match: what others change there it would put back.
  const glob = `${namespace.slice(0, -1)}?`;
  const { readers } = await run(t, cluster, [glob, 'no-such-namespace']);
  const failures = await readers.prepare([wanted('db', [namespace, 'no-such-namespace'], API)]);
  assert.deepEqual(
    [...failures].map(([failed, { code }]) => [failed, code]),
    [['no-such-namespace', 'KUBERNETES_NAMESPACE_MISSING']],
  );
  assert.equal(readers.isCurrent(wanted('db', [namespace], API)), true);

  const many = Array.from({ length: 6500 }, (_, index) =>
    wanted(`secret-${index}-${'x'.repeat(230)}`, [namespace], API),
  );
  const [tooMany] = (await readers.prepare(many)).values();
  assert.equal(tooMany?.code, 'SECRET_READERS_TOO_LARGE');
  assert.deepEqual(await readers.prepare([wanted('more', [namespace], API)]), FAILED);
  await objects.until(NAME, (object) => JSON.stringify(object?.spec.secrets) === '{"db":["api"],"more":["api"]}');
});

test('a pod that was admitted before the policy knew is told of in an Event, the status and the list of offenders', async (t) => {
  const at = await scene(t);
  if (!at) return;
  const { cluster, namespace, objects } = at;
  const pod = (name: string, secret: string) =>
    cluster.admin.expect('POST', `/api/v1/namespaces/${namespace}/pods`, {
      metadata: { name },
      spec: { containers: [{ name: 'main', image: 'none', envFrom: [{ secretRef: { name: secret } }] }] },
    });
  await pod('early', 'db');
  await pod('other', 'foreign');
  const { readers, events } = await run(t, cluster, [namespace]);
  await readers.prepare([wanted('db', [namespace], API)]);
  const reported = await objects.until(NAME, (object) => object?.status?.offendersTotal === 1);
  assert.deepEqual(reported?.status?.offenders, [{ pod: 'early', serviceAccount: 'default', secrets: ['db'] }]);
  assert.deepEqual(
    readers.offenders().map((offender) => offender.pod),
    ['early'],
  );
  assert.deepEqual(
    events.map(({ regarding, reason }) => [regarding.name, reason]),
    [['early', 'NotAReader']],
  );
  assert.match(events[0]?.note ?? '', /ServiceAccount default may not read db /);

  await cluster.admin.expect('DELETE', `/api/v1/namespaces/${namespace}/pods/early?gracePeriodSeconds=0`);
  await readers.prepare([wanted('more', [namespace], API)]);
  await objects.until(NAME, (object) => object?.status?.offendersTotal === 0);
  assert.equal(events.length, 1);
});

test('a cluster without the kind or without the policy is noticed and said', async (t) => {
  for (const part of ['etcd', 'kube-apiserver', 'kubectl'] as const) if (!(await partOrSkip(t, part))) return;
  const cluster = await startCluster({ installCrds: false, controllers: false });
  t.after(() => cluster.stop());
  const before = await run(t, cluster, ['default']);
  const [failure] = (await before.readers.prepare([wanted('db', ['default'], API)])).values();
  assert.equal(failure?.code, 'KUBERNETES_NO_KIND');
  // The policy is looked for beside the watch, which has a trouble of its own here until then.
  await eventually(() => assert.equal(before.readers.trouble?.code, 'SECRET_READERS_UNENFORCED'));
});
