import { CofferError } from '../../../core/errors.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';
import type { KubeObject, Resource } from '../../kubernetes/resource.ts';
import { POLICY_NAMES } from './policy.ts';

const ADMISSION = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false };
const POLICIES: Resource = {
  ...ADMISSION,
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
};
const BINDINGS: Resource = {
  ...ADMISSION,
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
};

interface Policy extends KubeObject {
  spec: { failurePolicy?: string };
}

interface Binding extends KubeObject {
  spec: { policyName?: string; validationActions?: string[] };
}

/** Why readers are not enforced on this cluster, if they are not: without the policies the SecretReaders objects say it to nobody. */
export async function lookForPolicy(client: KubeClient, signal: AbortSignal): Promise<CofferError | undefined> {
  try {
    for (const name of POLICY_NAMES) {
      const policy = await client.get<Policy>(POLICIES, { name }, signal);
      if (policy === undefined) return unenforced(`the ValidatingAdmissionPolicy ${name} is missing`);
      if (policy.spec.failurePolicy === 'Ignore') return unenforced(`the policy ${name} has failurePolicy Ignore`);
      const binding = await client.get<Binding>(BINDINGS, { name }, signal);
      const denies = binding?.spec.policyName === name && binding.spec.validationActions?.includes('Deny') === true;
      if (!denies) return unenforced(`no binding ${name} denies what its policy refuses`);
    }
    return undefined;
  } catch (error) {
    if (error instanceof KubernetesError) return error;
    throw error;
  }
}

function unenforced(why: string): CofferError {
  return new CofferError('SECRET_READERS_UNENFORCED', `Any pod of a namespace can refer to its Secrets: ${why}.`, {
    advice:
      'Apply deploy/helm/coffer/files/policy/readers.yaml or upgrade the chart (Kubernetes 1.30 or later), or set `readers: false` if that is meant.',
    loop: 'retry',
  });
}
