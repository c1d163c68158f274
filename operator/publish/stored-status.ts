import { createHash } from 'node:crypto';
import type { EncryptedSecretStatus } from '../../schemas/crd/encrypted-secret.ts';
import { canonical } from './own-spec.ts';

type Condition = NonNullable<EncryptedSecretStatus['conditions']>[number];

/** What is remembered of the status that an object has, so that only another one is written. */
export interface StoredStatus {
  fingerprint: string;
  conditions: readonly Pick<Condition, 'type' | 'status' | 'reason' | 'lastTransitionTime'>[];
  commit?: string;
  lastChange?: string;
}

export function storedStatus(status: EncryptedSecretStatus | undefined): StoredStatus {
  const { conditions = [], commit, lastChange } = status ?? {};
  return {
    fingerprint: statusFingerprint(status),
    conditions: conditions.map(({ type, status, reason, lastTransitionTime }) => ({
      ...{ type, status, reason, lastTransitionTime },
    })),
    ...(commit === undefined ? {} : { commit }),
    ...(lastChange === undefined ? {} : { lastChange }),
  };
}

export function statusFingerprint(status: EncryptedSecretStatus | undefined): string {
  return createHash('sha256')
    .update(canonical(status ?? {}))
    .digest('base64url')
    .slice(0, 22);
}
