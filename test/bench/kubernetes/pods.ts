/** What the admission policy adds to the creation of a pod, with no secret in its namespace and with many. */

import type { Cluster } from '../../cluster/cluster.ts';
import { median } from '../measure.ts';
import type { Workplace } from '../workplace.ts';
import { startCold } from './cold-start.ts';
import { clusterFor, nameOf, namespaceOf, Site } from './site.ts';

const NONE = 'pods-without-secrets';

export interface PodCosts {
  secrets: number;
  /** Milliseconds, medians. */
  none: number;
  many: number;
  /** In the namespace with many, of a pod that mounts one of them. */
  reading: number;
}

export async function measurePods(workplace: Workplace, secrets: number, rounds: number): Promise<PodCosts> {
  const site = await Site.open(workplace, secrets, secrets);
  const cluster = await clusterFor(secrets);
  const full = namespaceOf(0, secrets);
  try {
    await cluster.admin.expect('POST', '/api/v1/namespaces', { metadata: { name: NONE } });
    for (const namespace of [NONE, full]) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await cluster.admin.expect('POST', path, { metadata: { name: 'app' } });
    }
    const { operator } = await startCold(site, cluster);
    const times = { none: [] as number[], many: [] as number[], reading: [] as number[] };
    for (let round = -5; round < rounds; round++) {
      const took = {
        none: await createPod(cluster, NONE, `none-${round + 5}`),
        many: await createPod(cluster, full, `many-${round + 5}`),
        reading: await createPod(cluster, full, `reading-${round + 5}`, nameOf(0)),
      };
      if (round < 0) continue;
      for (const kind of ['none', 'many', 'reading'] as const) times[kind].push(took[kind]);
    }
    await operator.end();
    return { secrets, none: median(times.none), many: median(times.many), reading: median(times.reading) };
  } finally {
    await cluster.stop();
    await site.close();
  }
}

async function createPod(cluster: Cluster, namespace: string, name: string, secret?: string): Promise<number> {
  const volumes = secret === undefined ? [] : [{ name: 'secret', secret: { secretName: secret } }];
  const spec = { serviceAccountName: 'app', containers: [{ name: 'main', image: 'none' }], volumes };
  const began = performance.now();
  await cluster.admin.expect('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name }, spec });
  return performance.now() - began;
}
