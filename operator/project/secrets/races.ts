import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';

/** Looks and writes; whoever still comes between does not stop. */
export const ATTEMPTS = 5;

/** Something else is there than what was looked at. */
export function isRace(error: unknown): boolean {
  return error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT';
}

/** Of a change also: it is immutable, or of another type. */
export function isInvalid(error: unknown): boolean {
  return error instanceof KubernetesError && error.code === 'KUBERNETES_INVALID';
}
