/** How many writes an API server has taken, by its own count. */

import type { Cluster } from '../../cluster/cluster.ts';

/** `VERB resource[/subresource]` → requests that succeeded. */
export type Writes = ReadonlyMap<string, number>;

const WRITES = ['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE'];
/** Leases are renewed whatever happens, reviews write nothing, and the rest is the controllers' own. */
const COUNTED = ['secrets', 'encryptedsecrets', 'secretreaders', 'events', 'sealedsecrets'];

export async function countWrites(cluster: Cluster): Promise<Writes> {
  return readWrites(await cluster.admin.expect('GET', '/metrics'));
}

/** @param metrics of an API server, in the text format of Prometheus */
export function readWrites(metrics: string): Writes {
  const counts = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    const match = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line);
    if (!match) continue;
    const [, labels = '', count = ''] = match;
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const [verb, resource, subresource] = [label('verb'), label('resource'), label('subresource')];
    if (!WRITES.includes(verb) || !COUNTED.includes(resource) || !label('code').startsWith('2')) continue;
    const name = `${verb} ${resource}${subresource && `/${subresource}`}`;
    counts.set(name, (counts.get(name) ?? 0) + Number(count));
  }
  return counts;
}

export function writesBetween(before: Writes, after: Writes): Writes {
  const difference = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  return new Map(difference.filter(([, count]) => count > 0));
}

export function total(writes: Writes): number {
  return [...writes.values()].reduce((sum, count) => sum + count, 0);
}
