import { CofferError, isCofferError, nothingFor } from '../../core/errors.ts';
import { RECIPIENT_CONFIG_MAP } from '../../core/requests/published.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { type EncryptedSecretObject, type Observed, observedObject, observedStatus } from './observed.ts';

const PAGE = 500;
const PATIENCE = 20_000;

/**
 * Asks a cluster for all its EncryptedSecret objects, or where its person may not, for those of `namespaces`. Throws CLUSTER_*,
 * STATUS_NO_KIND.
 */
export async function askCluster(
  cluster: Cluster,
  operatorNamespace: string,
  namespaces: Iterable<string>,
): Promise<Observed> {
  const secrets = await objectsOf(cluster, namespaces);
  const announced = await cluster
    .get<{ data?: Record<string, string> }>(
      `/api/v1/namespaces/${encodeURIComponent(operatorNamespace)}/configmaps/${RECIPIENT_CONFIG_MAP}`,
    )
    .catch(nothingFor('CLUSTER_REFUSED'));
  return {
    place: cluster.context,
    cluster: announced?.data?.cluster,
    secrets: secrets.map(observedObject),
    problems: [],
  };
}

async function objectsOf(cluster: Cluster, namespaces: Iterable<string>): Promise<EncryptedSecretObject[]> {
  try {
    return await listAll(cluster, '/apis/coffer.dev/v1/encryptedsecrets');
  } catch (error) {
    if (!isCofferError(error, 'CLUSTER_REFUSED')) throw error;
    const lists = [];
    for (const namespace of namespaces) {
      lists.push(
        await listAll(cluster, `/apis/coffer.dev/v1/namespaces/${encodeURIComponent(namespace)}/encryptedsecrets`),
      );
    }
    return lists.flat();
  }
}

async function listAll(cluster: Cluster, path: string): Promise<EncryptedSecretObject[]> {
  const items: EncryptedSecretObject[] = [];
  let next = '';
  do {
    const from = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    const page = await cluster.get<{ items: EncryptedSecretObject[]; metadata: { continue?: string } }>(
      `${path}?limit=${PAGE}${from}`,
    );
    if (page === undefined) throw noKind(cluster.context);
    // Only what is looked at: the sealed text of thousands is large.
    items.push(
      ...page.items.map(({ metadata, status }) => (status === undefined ? { metadata } : { metadata, status })),
    );
    next = page.metadata.continue ?? '';
  } while (next !== '');
  return items;
}

/** Asks an operator itself, by the address that it serves. Throws STATUS_UNREACHABLE. */
export async function askOperator(url: string): Promise<Observed> {
  const address = URL.parse('/status', url);
  if (address === null || !/^https?:$/.test(address.protocol)) {
    throw new CofferError('STATUS_URL', `${url} is no address of an operator`, {
      advice: 'Give what `serve.listen` says, for instance http://127.0.0.1:8780.',
      exit: 2,
    });
  }
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) return observedStatus(address.host, (await answer.json()) as object);
    throw new Error(`status ${answer.status}`);
  } catch (cause) {
    throw new CofferError('STATUS_UNREACHABLE', `no operator answers at ${address.host}`, {
      advice: 'Check that it runs, and what `serve.listen` in its configuration says.',
      cause,
    });
  }
}

function noKind(context: string): CofferError {
  return new CofferError('STATUS_NO_KIND', `the cluster of context ${context} has no EncryptedSecret objects`, {
    advice: 'Install coffer there, or name another with --context.',
  });
}
