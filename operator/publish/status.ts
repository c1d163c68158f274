import type { EncryptedSecretStatus } from '../../schemas/crd/encrypted-secret.ts';
import type { SecretStatus } from '../status/status.ts';
import { conditionsOf, namespacesOf } from './conditions.ts';
import type { StoredObject } from './encrypted-secrets.ts';

/** Digits of a commit in `kubectl get`. */
const SHORT = 12;

/**
 * The status of an object: nothing in it depends on the run or the hour, so the same state gives the same status. The time of a
 * condition is that of its last turn (`now` where it turns now).
 */
export function statusOf(secret: SecretStatus, object: StoredObject, now: Date): EncryptedSecretStatus {
  const { source, path, commit, keyId, changedAt } = secret;
  const lastChange = changedAt === undefined ? object.status.lastChange : seconds(new Date(changedAt));
  return {
    observedGeneration: object.generation,
    conditions: conditionsOf(secret, object.isMirror).map((verdict) => ({
      ...verdict,
      observedGeneration: object.generation,
      lastTransitionTime: turnOf(verdict, object) ?? seconds(now),
    })),
    ...(object.isMirror ? { mirror: true } : {}),
    ...(source === undefined ? {} : { source }),
    ...(path === undefined ? {} : { path }),
    ...(commit === undefined ? {} : { commit, shortCommit: commit.slice(0, SHORT) }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(lastChange === undefined ? {} : { lastChange }),
    namespaces: namespacesOf(secret),
  };
}

function turnOf({ type, status }: { type: string; status: string }, { status: stored }: StoredObject) {
  return stored.conditions.find((before) => before.type === type && before.status === status)?.lastTransitionTime;
}

/** As Kubernetes writes times. */
function seconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
