import { CofferError } from '../../../core/errors.ts';
import type { KubeObject, ObjectName, Resource } from '../../kubernetes/resource.ts';
import { secretReferences } from '../readers/pod-references.ts';
import type { Read } from './read-state.ts';

const RESTART = 'coffer.dev/restart-on-change';
/** On the pod template: another one rolls the workload. */
export const DIGEST = 'coffer.dev/secrets-digest';
/** On the workload. */
export const READ_STATE = 'coffer.dev/secrets-read';

/** A Deployment, StatefulSet or DaemonSet. */
export interface WorkloadObject extends KubeObject {
  spec: { template: { metadata?: { annotations?: Record<string, string> }; spec: object } };
}

export function wantsRestart({ metadata }: KubeObject): boolean {
  const { labels, annotations, deletionTimestamp } = metadata;
  return deletionTimestamp === undefined && (labels?.[RESTART] === 'true' || annotations?.[RESTART] === 'true');
}

/** What its pods read. Entry by entry where they name entries; a read that one reference needs is not optional. */
export function readsOf({ spec }: WorkloadObject): Read[] {
  const reads = new Map<string, boolean>();
  for (const { secret, entries, isOptional } of secretReferences(spec.template.spec)) {
    const whats = entries.length === 0 ? [secret] : entries.map((entry) => `${secret}/${entry}`);
    for (const what of whats) reads.set(what, isOptional && reads.get(what) !== false);
  }
  return Array.from(reads, ([what, isOptional]) => ({ what, isOptional }));
}

/** `deployments/payments/api` */
export function workloadKey({ plural }: Resource, { namespace = '', name }: ObjectName): string {
  return `${plural}/${namespace}/${name}`;
}

/** The same error with the workload that could not be rolled. */
export function notRolled(error: CofferError, resource: Resource, namespace: string, name: string): CofferError {
  return new CofferError(
    'RESTART_FAILED',
    `${resource.kind} ${namespace}/${name} could not be rolled after its secrets changed: ${error.message}`,
    { advice: error.advice, data: { workload: `${namespace}/${name}` }, loop: 'retry', cause: error },
  );
}
