import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESOURCES } from '../../operator/kubernetes/resource.ts';
import { openRestarts } from '../../operator/project/restart/restarts.ts';
import { READ_STATE } from '../../operator/project/restart/workload.ts';
import { newNamespace, sharedCluster } from '../cluster/shared.ts';
import { connectTo } from './scene/connect.ts';
import { racedClient } from './scene/raced-client.ts';
import { type Deployment, env, Rollouts } from './scene/rollouts.ts';

/** What others do to the workload `one`, which reads `db`, so that it reads `tls`. */
const OTHERS: Record<string, (rollouts: Rollouts) => Promise<unknown>> = {
  'is edited': (rollouts) => rollouts.patch('one', { spec: { template: { spec: env('tls', 'KEY') } } }),
  async 'is deleted and made anew'(rollouts) {
    const { cluster, namespace, deployments } = rollouts;
    await cluster.admin.expect('DELETE', `/apis/apps/v1/namespaces/${namespace}/deployments/one`);
    await deployments.until('one', (object) => object === undefined);
    await rollouts.deploy('one', env('tls', 'KEY'));
  },
};

for (const [what, between] of Object.entries(OTHERS)) {
  test(`a workload that ${what} rolls when what it reads then changes, although that was seen before the answer to the write before it`, async (t) => {
    const cluster = await sharedCluster(t);
    if (cluster === undefined) return;
    const namespace = await newNamespace(t, cluster, 'restart');
    const rollouts = await Rollouts.open(t, cluster, namespace);
    await rollouts.deploy('one', env('db', 'PASSWORD'));
    const client = racedClient<Deployment>(await connectTo(t, cluster.kubeconfig), {
      resource: RESOURCES.deployments,
      by: 'patch',
      between: () => between(rollouts),
      isTold: (object) => object !== 'gone' && JSON.stringify(object.spec.template).includes('"tls"'),
    });
    const restarts = openRestarts({ client, namespaces: [namespace], digestKeyId: 'key1' });
    const end = new AbortController();
    const running = restarts.run(end.signal);
    t.after(async () => {
      end.abort();
      await running;
    });
    // The values stand for their digests.
    restarts.holds(namespace, 'db', new Map([['PASSWORD', 'p1']]));
    restarts.holds(namespace, 'tls', new Map([['KEY', 'k1']]));
    await restarts.begin();
    const isRecorded = (one: Deployment | undefined) => /tls\/KEY=/.test(one?.metadata.annotations?.[READ_STATE] ?? '');
    await rollouts.deployments.until('one', isRecorded, 'the record of what it reads now');
    const before = await rollouts.rolls('one');
    restarts.holds(namespace, 'tls', new Map([['KEY', 'k2']]));
    assert.deepEqual(await restarts.notify(), []);
    assert.equal(await rollouts.rolls('one'), before + 1);
  });
}
