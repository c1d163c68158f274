import { readFile } from 'node:fs/promises';
import { CofferError } from '../../core/errors.ts';
import { type Fulfilment, readFulfilment } from '../../core/requests/fulfilment.ts';
import { PART_FIELD, REQUEST_LABEL } from '../../core/requests/published.ts';
import type { JoinRequest } from '../../core/requests/request.ts';
import { Cluster } from '../kubernetes/cluster.ts';
import type { RecipientPlace } from './fetch-recipient.ts';

/** What an operator made of a request: in ConfigMaps beside it, a part each, or a file of its state directory, a part a line. Throws FULFILMENT_*, CLUSTER_*, FILE_SYSTEM. */
export async function fetchFulfilment(request: JoinRequest, place: RecipientPlace): Promise<Fulfilment> {
  const parts = 'file' in place ? await fromFile(place.file) : await fromCluster(request, place);
  if (parts.length > 0) return readFulfilment(parts, request);
  throw new CofferError(
    'FULFILMENT_NONE',
    `the operator of ${request.like} has made no stanzas for ${request.recipient} yet`,
    {
      advice: `Push the request, and see that its pins hold ${request.recipient}; its status says what it waits for.`,
      data: { recipient: request.recipient, name: request.id },
      exit: 1,
    },
  );
}

async function fromFile(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
}

async function fromCluster({ id }: JoinRequest, place: Exclude<RecipientPlace, { file: string }>): Promise<string[]> {
  const cluster = await Cluster.open(place);
  const selector = encodeURIComponent(`${REQUEST_LABEL}=${id}`);
  const path = `/api/v1/namespaces/${encodeURIComponent(place.namespace)}/configmaps?labelSelector=${selector}`;
  const list = await cluster.get<{ items: { data?: Record<string, string> }[] }>(path);
  return (list?.items ?? []).flatMap(({ data }) => data?.[PART_FIELD] ?? []);
}
