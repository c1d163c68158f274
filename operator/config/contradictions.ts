import { CofferError, type ErrorData } from '../../core/errors.ts';
import { matches } from '../../core/format/manifest/reach.ts';
import type { OperatorConfig } from '../../schemas/operator-config.ts';

/** Parts that each are right and together cannot be meant: what would silently do nothing is said. Throws `CONFIG_CONTRADICTION`. */
export function refuseContradictions({ kubernetes, sources, projections }: OperatorConfig, at: ErrorData): void {
  const objects = sources.flatMap(({ encryptedSecrets }) => encryptedSecrets ?? []);
  const isVouching = sources.some(({ git }) => git?.carriedBy === 'objects');
  if (isVouching && objects.length === 0) {
    throw contradiction(
      'A git source has `carriedBy: objects`, and no source looks at EncryptedSecret objects, so nothing of it would be projected.',
      'Add `encryptedSecrets: {namespaces: [...]}` to sources, or leave carriedBy out.',
      at,
    );
  }
  const unseen = objects.flatMap(({ namespaces, unverified = [] }) =>
    unverified.filter((name) => !namespaces.some((pattern) => pattern === name || matches(pattern, name))),
  );
  if (unseen.length > 0) {
    throw contradiction(
      `Objects of ${unseen.join(', ')} are allowed without a commit, but nobody looks at objects there.`,
      'Add the namespace to encryptedSecrets.namespaces, or take it out of unverified.',
      at,
    );
  }
  const isProjected = projections.some(({ kubernetesSecrets, volumes }) => kubernetesSecrets ?? volumes);
  if (objects.length > 0 && !isProjected && !projections.some(({ directory }) => directory?.workloads.length)) {
    throw contradiction(
      'EncryptedSecret objects are looked at, and nothing is projected anywhere.',
      'Add `kubernetesSecrets` or `volumes` to projections.',
      at,
    );
  }
  if (kubernetes?.context !== undefined && kubernetes.kubeconfig === undefined) {
    throw contradiction(
      'A context is named without the kubeconfig that has it.',
      'Add kubernetes.kubeconfig, or leave the context out.',
      at,
    );
  }
}

function contradiction(message: string, advice: string, data: ErrorData): CofferError {
  return new CofferError('CONFIG_CONTRADICTION', message, { advice, data });
}
