/** What the operator wrote, as requests that the bare loop sends again to a new cluster. */

import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Writes } from './api-writes.ts';

export interface BareRequest {
  method: 'PATCH' | 'POST';
  path: string;
  contentType: string;
  body: object;
}

const APPLY = 'application/apply-patch+yaml';
const MANAGER = 'fieldManager=bench&force=true';
const PAGE = 500;

interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace: string; labels?: object; annotations?: object };
  status?: object;
  [field: string]: unknown;
}

/** Kind by kind in the order of the operator: who may read, then of each secret its mirror, the Secret, its status. */
const KINDS = [
  { path: '/apis/coffer.dev/v1', resource: 'secretreaders' },
  { path: '/apis/coffer.dev/v1', resource: 'encryptedsecrets' },
  { path: '/api/v1', resource: 'secrets' },
] as const;

/**
 * Writes a file for `bare-loop.ts`: as many requests of each kind as `writes` counted, with the bodies of what is in the
 * cluster. Resolves to the number of requests.
 */
export async function recordChains(cluster: Cluster, writes: Writes, file: string): Promise<number> {
  const chains = new Map<string, BareRequest[]>();
  for (const { path, resource } of KINDS) {
    const objects = await listAll(cluster, `${path}/${resource}`);
    for (const object of objects) {
      const key = resource === 'secretreaders' ? `readers ${object.metadata.namespace}` : keyOf(object);
      const chain = chains.get(key) ?? [];
      chains.set(key, chain);
      chain.push(...requestsOf(path, resource, object, Math.round(countOf(writes, resource) / objects.length)));
    }
    if (resource === 'secrets') {
      const mirrors = await listAll(cluster, '/apis/coffer.dev/v1/encryptedsecrets');
      const times = Math.round(countOf(writes, 'encryptedsecrets/status') / mirrors.length);
      for (const mirror of mirrors) chains.get(keyOf(mirror))?.push(...statusRequests(mirror, times));
    }
  }
  const events = Math.round(countOf(writes, 'events'));
  for (const [index, chain] of [...chains.values()].slice(0, events).entries()) chain.push(eventRequest(index));
  const out = createWriteStream(file);
  for (const chain of chains.values()) out.write(`${JSON.stringify(chain)}\n`);
  out.end();
  await finished(out);
  return [...chains.values()].reduce((sum, chain) => sum + chain.length, 0);
}

function countOf(writes: Writes, resource: string): number {
  return [...writes].reduce((sum, [name, count]) => (name.split(' ')[1] === resource ? sum + count : sum), 0);
}

async function listAll(cluster: Cluster, path: string): Promise<Stored[]> {
  const found: Stored[] = [];
  let more: string | undefined = '';
  while (more !== undefined) {
    const page: { kind: string; apiVersion: string; items: Stored[]; metadata: { continue?: string } } = JSON.parse(
      await cluster.admin.expect('GET', `${path}?limit=${PAGE}${more && `&continue=${encodeURIComponent(more)}`}`),
    );
    const kind = page.kind.replace(/List$/, '');
    const ours = page.items.filter(({ metadata }) => metadata.namespace.startsWith('bench-'));
    found.push(...ours.map((item) => ({ ...item, apiVersion: page.apiVersion, kind })));
    more = page.metadata.continue || undefined;
  }
  return found;
}

/** A repeated write changes something, or it would not reach the store. */
function requestsOf(path: string, resource: string, object: Stored, times: number): BareRequest[] {
  const { status: _, metadata, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata;
  return Array.from({ length: times }, (_, round) => ({
    method: 'PATCH',
    path: `${path}/namespaces/${namespace}/${resource}/${name}?${MANAGER}`,
    contentType: APPLY,
    body: { ...rest, metadata: { name, namespace, labels, annotations: { ...annotations, round: String(round) } } },
  }));
}

function statusRequests({ apiVersion, kind, metadata, status }: Stored, times: number): BareRequest[] {
  const { name, namespace } = metadata;
  return Array.from({ length: times }, (_, round) => ({
    method: 'PATCH',
    path: `/apis/coffer.dev/v1/namespaces/${namespace}/encryptedsecrets/${name}/status?${MANAGER}`,
    contentType: APPLY,
    body: {
      apiVersion,
      kind,
      metadata: { name, namespace },
      status: round === 0 ? status : { ...status, commit: `${round}` },
    },
  }));
}

function eventRequest(index: number): BareRequest {
  const note = 'projected';
  return {
    method: 'POST',
    path: '/apis/events.k8s.io/v1/namespaces/bench-0/events',
    contentType: 'application/json',
    body: {
      metadata: { name: `bench.${index}`, namespace: 'bench-0' },
      eventTime: new Date().toISOString().replace('Z', '000Z'),
      reportingController: 'bench',
      reportingInstance: 'bench',
      action: 'Projected',
      reason: 'Projected',
      type: 'Normal',
      regarding: { kind: 'Namespace', name: 'bench-0', namespace: 'bench-0' },
      note,
    },
  };
}

function keyOf({ metadata }: Stored): string {
  return `${metadata.namespace}/${metadata.name}`;
}
