import type { AuditActor } from '../../core/audit/record.ts';
import { CofferError } from '../../core/errors.ts';
import type { TokenOwner } from './token-reviews.ts';

/** Whom kubelet asks tokens for, on behalf of a pod that mounts (CSIDriver `tokenRequests`). */
export const AUDIENCE = 'csi.coffer.dev';

export interface Pod {
  namespace: string;
  serviceAccount: string;
  name: string;
  uid: string;
}

/** Claims of a bound token (KEP-1205), as TokenReview tells them. */
const POD_NAME = 'authentication.kubernetes.io/pod-name';
const POD_UID = 'authentication.kubernetes.io/pod-uid';

/**
 * The pod that a token is bound to. Throws CofferError `VOLUME_TOKEN_UNBOUND` for one that is no pod's: whoever may create tokens for
 * a ServiceAccount would else read as if it were one of its pods, and the record could not say which.
 */
export function podOf({ user, extra }: TokenOwner): Pod {
  const [, namespace, serviceAccount] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  const [name] = extra[POD_NAME] ?? [];
  const [uid] = extra[POD_UID] ?? [];
  if (namespace !== undefined && serviceAccount !== undefined && name !== undefined && uid !== undefined)
    return { namespace, serviceAccount, name, uid };
  throw new CofferError('VOLUME_TOKEN_UNBOUND', 'The token is not bound to a pod.', {
    advice: 'Mount through the CSI driver; to read a value by hand, use `coffer get --via`.',
  });
}

export function actorOf({ namespace, serviceAccount, name, uid }: Pod): AuditActor {
  const user = `system:serviceaccount:${namespace}:${serviceAccount}`;
  return { kind: 'pod', user, namespace, serviceAccount, pod: name, podUid: uid };
}
