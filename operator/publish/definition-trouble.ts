import { CofferError } from '../../core/errors.ts';
import { KubernetesError } from '../kubernetes/kubernetes-error.ts';

/** What a person mends for all EncryptedSecret objects at once, if the error is of that kind. */
export function definitionTrouble(error: unknown): CofferError | undefined {
  if (!(error instanceof KubernetesError)) return undefined;
  const { code, status } = error;
  // 405: the definition is being deleted.
  if (code === 'KUBERNETES_NO_KIND' || status === 405) {
    return new CofferError(
      'MIRROR_KIND_MISSING',
      'The cluster does not serve EncryptedSecret objects, so that it shows neither mirrors nor status.',
      {
        advice: `Install the CustomResourceDefinitions of this version of coffer; ${GOES_ON}.`,
        loop: 'retry',
        cause: error,
      },
    );
  }
  // An apply with fields that the definition does not have fails with 500, of which the client makes this.
  if (code === 'KUBERNETES_INVALID' && status === 500) {
    return new CofferError(
      'MIRROR_KIND_OLD',
      "The cluster's CustomResourceDefinition of EncryptedSecret is of another version of coffer and refuses its objects.",
      {
        advice: `Apply the CustomResourceDefinitions of this version, which helm does not upgrade by itself; ${GOES_ON}.`,
        loop: 'retry',
        cause: error,
      },
    );
  }
  return undefined;
}

const GOES_ON = 'meanwhile secrets are projected from git all the same';
