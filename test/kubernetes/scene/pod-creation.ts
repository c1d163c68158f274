import type { Cluster } from '../../cluster/cluster.ts';

/**
 * How long the API server takes to create a pod that refers to three Secrets by envFrom: medians in milliseconds, by the number
 * of projected secrets in its namespace. The pods are created one after another, in each namespace in turn, so that a busy
 * moment of the machine falls on all; they stay.
 *
 * @param namespaces number of secrets → a namespace for this alone. With 0 it has no SecretReaders object, so no policy is
 *   evaluated; else its ServiceAccount `default` is a reader of all.
 * @param pods in each namespace
 */
export async function measurePodCreation(
  cluster: Cluster,
  namespaces: ReadonlyMap<number, string>,
  pods = 200,
): Promise<ReadonlyMap<number, number>> {
  const durations = new Map(Array.from(namespaces.keys(), (count): [number, number[]] => [count, []]));
  for (const [count, namespace] of namespaces) if (count > 0) await say(cluster, namespace, count);
  for (let created = -WARM_UP; created < pods; created++) {
    for (const [count, namespace] of namespaces) {
      const duration = await create(cluster, namespace);
      if (created >= 0) durations.get(count)?.push(duration);
    }
  }
  return new Map(Array.from(durations, ([count, all]) => [count, median(all)]));
}

const WARM_UP = 5;

/** Returns when the API server's own cache has it. */
async function say({ admin }: Cluster, namespace: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index): [string, string[]] => [
    `secret-${index}`,
    ['default', 'api'],
  ]);
  const spec = { secrets: { ...Object.fromEntries(names), canary: [] } };
  const identity = { apiVersion: 'coffer.dev/v1', kind: 'SecretReaders', metadata: { name: 'coffer' } };
  await admin.expect('POST', `/apis/coffer.dev/v1/namespaces/${namespace}/secretreaders`, { ...identity, spec });
  const probe = podOf([{ secretRef: { name: 'canary' } }]);
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  while ((await admin.ask('POST', path, probe)).status < 300);
}

async function create({ admin }: Cluster, namespace: string): Promise<number> {
  const pod = podOf([0, 1, 2].map((index) => ({ secretRef: { name: `secret-${index}` } })));
  const began = performance.now();
  await admin.expect('POST', `/api/v1/namespaces/${namespace}/pods`, pod);
  return performance.now() - began;
}

function podOf(envFrom: object[]) {
  return { metadata: { generateName: 'pod-' }, spec: { containers: [{ name: 'main', image: 'none', envFrom }] } };
}

function median(durations: number[]): number {
  return durations.toSorted((a, b) => a - b)[durations.length >> 1] ?? Number.NaN;
}
