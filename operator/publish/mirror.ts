import type { Manifest } from '../../core/format/manifest/manifest.ts';
import type { EncryptedSecretStatus } from '../../schemas/crd/encrypted-secret.ts';
import { apiVersionOf, FIELD_MANAGER, type KubeObject, type ObjectMeta, RESOURCES } from '../kubernetes/resource.ts';
import { fingerprintOf, ownSpec, type Spec } from './own-spec.ts';

/** Marks what the operator applied from git. */
export const MIRROR_LABEL = 'coffer.dev/mirror';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface EncryptedSecretObject extends KubeObject {
  spec?: Spec;
  status?: EncryptedSecretStatus;
}

export interface Mirror {
  body: EncryptedSecretObject;
  fingerprint: string;
}

/** Undefined for a manifest that holds plaintext: that goes nowhere. */
export function mirrorOf({ namespace, name, entries, document }: Manifest, cluster: string): Mirror | undefined {
  for (const { kind } of entries.values()) if (kind === 'plaintext') return undefined;
  const spec = ownSpec((document.value as { spec: Spec }).spec, cluster);
  return {
    body: {
      apiVersion: apiVersionOf(RESOURCES.encryptedSecrets),
      kind: RESOURCES.encryptedSecrets.kind,
      metadata: { name, namespace, labels: { [MIRROR_LABEL]: 'true' } },
      spec,
    },
    fingerprint: fingerprintOf(spec),
  };
}

/** Of a manifest in git; the same as that of an object with which somebody else carries it. */
export function specFingerprint({ document }: Manifest, cluster: string): string {
  return fingerprintOf(ownSpec((document.value as { spec: Spec }).spec, cluster));
}

/**
 * Whether the operator made this object, and nobody else has begun to apply it since. Others edit a mirror by updates, which
 * are undone; whoever applies it, by server-side apply or as kubectl and Argo CD do with an annotation, has taken it over.
 */
export function isMirror({ metadata, status }: EncryptedSecretObject): boolean {
  if (metadata.annotations?.[LAST_APPLIED] !== undefined) return false;
  if (appliersOf(metadata).some((manager) => manager !== FIELD_MANAGER)) return false;
  return status?.mirror === true || (isLabelled(metadata) && appliersOf(metadata).includes(FIELD_MANAGER));
}

export function isLabelled({ labels }: ObjectMeta): boolean {
  return labels?.[MIRROR_LABEL] === 'true';
}

/** Whose server-side apply the spec is. */
function appliersOf({ managedFields = [] }: ObjectMeta): string[] {
  return managedFields.flatMap(({ manager, operation, subresource, fieldsV1 }) => {
    const isApplied = operation === 'Apply' && !subresource && fieldsV1 !== undefined && 'f:spec' in fieldsV1;
    return isApplied && manager !== undefined ? [manager] : [];
  });
}
