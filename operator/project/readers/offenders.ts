import type { KubeClient } from '../../kubernetes/client.ts';
import { type KubeObject, RESOURCES } from '../../kubernetes/resource.ts';
import { secretReferences } from './pod-references.ts';
import { mayRefer, type Rows } from './rows.ts';

/** A pod that refers to Secrets which its ServiceAccount may not read: it was admitted before the policy knew of that. */
export interface Offender {
  namespace: string;
  pod: string;
  uid: string;
  serviceAccount: string;
  secrets: readonly string[];
}

interface Pod extends KubeObject {
  spec: { serviceAccountName?: string };
}

/** What has ended holds no value any more. */
const RUNNING = 'status.phase!=Succeeded,status.phase!=Failed';

/**
 * Reads a namespace's pods, a page at a time, and keeps none but offenders.
 *
 * @param rowsOf a projected Secret's readers; undefined for any other Secret
 * @throws KubernetesError
 */
export async function findOffenders(
  client: KubeClient,
  namespace: string,
  rowsOf: (secret: string) => Rows | undefined,
  signal: AbortSignal,
): Promise<Offender[]> {
  let offenders: Offender[] = [];
  const options = { namespace, fieldSelector: RUNNING, signal };
  await client.listPages<Pod>(RESOURCES.pods, options, (pods, isFirst) => {
    if (isFirst) offenders = [];
    for (const { metadata, spec } of pods) {
      if (metadata.deletionTimestamp !== undefined) continue;
      const serviceAccount = spec.serviceAccountName ?? 'default';
      const refused = secretReferences(spec).filter((reference) => {
        const rows = rowsOf(reference.secret);
        return rows !== undefined && !mayRefer(rows, serviceAccount, reference);
      });
      if (refused.length === 0) continue;
      const secrets = [...new Set(refused.map(({ secret }) => secret))].sort();
      offenders.push({ namespace, pod: metadata.name, uid: metadata.uid ?? '', serviceAccount, secrets });
    }
  });
  return offenders;
}
