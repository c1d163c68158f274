import { access, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { undefinedIfMissing } from '../../core/files/system-error.ts';
import { PART_FIELD } from '../../core/requests/published.ts';
import { Cluster } from '../kubernetes/cluster.ts';
import type { PublishedPlace } from './place.ts';

/**
 * What an operator published under a label and its value: in ConfigMaps beside it, a part each, or a file of its state directory, a part a
 * line; where nothing is published there is no such file. Throws CLUSTER_*, FILE_SYSTEM, of a folder that is not there too.
 */
export async function publishedParts(label: string, value: string, place: PublishedPlace): Promise<string[]> {
  if ('file' in place) return linesIn(place.file);
  const cluster = await Cluster.open(place);
  const selector = encodeURIComponent(`${label}=${value}`);
  const path = `/api/v1/namespaces/${encodeURIComponent(place.namespace)}/configmaps?labelSelector=${selector}`;
  const list = await cluster.get<{ items: { data?: Record<string, string> }[] }>(path);
  return (list?.items ?? []).flatMap(({ data }) => data?.[PART_FIELD] ?? []);
}

async function linesIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(undefinedIfMissing);
  if (text === undefined) await access(dirname(file));
  return (text ?? '').split('\n').filter((line) => line !== '');
}
