import { readFile } from 'node:fs/promises';
import { PART_FIELD } from '../../core/requests/published.ts';
import { Cluster } from '../kubernetes/cluster.ts';
import type { PublishedPlace } from './place.ts';

/** What an operator published under a label and its value: in ConfigMaps beside it, a part each, or a file of its state directory, a part a line. Throws CLUSTER_*, FILE_SYSTEM. */
export async function publishedParts(label: string, value: string, place: PublishedPlace): Promise<string[]> {
  if ('file' in place) return (await readFile(place.file, 'utf8')).split('\n').filter((line) => line !== '');
  const cluster = await Cluster.open(place);
  const selector = encodeURIComponent(`${label}=${value}`);
  const path = `/api/v1/namespaces/${encodeURIComponent(place.namespace)}/configmaps?labelSelector=${selector}`;
  const list = await cluster.get<{ items: { data?: Record<string, string> }[] }>(path);
  return (list?.items ?? []).flatMap(({ data }) => data?.[PART_FIELD] ?? []);
}
