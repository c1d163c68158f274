import { CofferError } from '../../core/errors.ts';

/**
 * The namespaces that the projectors can reach. On plain hosts they are those of the workloads that are listed, and nothing else
 * is known of them; in Kubernetes they come and go.
 */
export interface ReachableNamespaces {
  /** Those that are there, also while they are terminating. */
  names(): Iterable<string>;
  isTerminating?(name: string): boolean;
  /** Whether the configuration allows it, be it there or not. Absent: what is not there is nobody's business. */
  isConfigured?(name: string): boolean;
  onChange?(listener: () => void): void;
}

/** Why nothing can be projected into a namespace. A change of the namespaces is what mends it, so nobody tries again before. */
export function namespaceProblem(namespaces: ReachableNamespaces, namespace: string): CofferError | undefined {
  if (namespaces.isTerminating?.(namespace) === true) {
    return new CofferError('KUBERNETES_TERMINATING', `the namespace ${namespace} is being deleted`, {
      advice: 'Nothing to do if that was meant; the secret is projected again when the namespace is made anew.',
      data: { namespace },
    });
  }
  if (namespaces.isConfigured === undefined) return undefined;
  for (const name of namespaces.names()) if (name === namespace) return undefined;
  if (namespaces.isConfigured(namespace)) {
    return new CofferError('KUBERNETES_NAMESPACE_MISSING', `there is no namespace ${namespace} in this cluster`, {
      advice: 'Make the namespace, and the secret comes by itself; or correct metadata.namespace of the manifest.',
      data: { namespace },
    });
  }
  return new CofferError(
    'NAMESPACE_NOT_CONFIGURED',
    `the operator’s configuration does not let it write in the namespace ${namespace}`,
    {
      advice: 'Add the namespace to a projection of the operator’s configuration, or correct the manifest’s namespace.',
      data: { namespace },
    },
  );
}
