import type { Manifest } from '../../core/format/manifest/manifest.ts';
import type { EncryptedSecretStatus } from '../../schemas/crd/encrypted-secret.ts';
import { apiVersionOf, FIELD_MANAGER, type KubeObject, type ObjectMeta, RESOURCES } from '../kubernetes/resource.ts';
import { fingerprintOf, ownSpec, type Spec } from './own-spec.ts';

/** Marks what the operator applied from git. */
const MIRROR_LABEL = 'coffer.dev/mirror';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface EncryptedSecretObject extends KubeObject {
  spec?: Spec;
  status?: EncryptedSecretStatus;
}

export interface Mirror {
  body: EncryptedSecretObject;
  fingerprint: string;
}

/** @param own the recipients that this cluster is. Undefined for a manifest that holds plaintext: that goes nowhere. */
export function mirrorOf(manifest: Manifest, own: ReadonlySet<string>): Mirror | undefined {
  const { namespace, name, entries, document } = manifest;
  for (const { kind } of entries.values()) if (kind === 'plaintext') return undefined;
  const spec = ownSpec((document.value as { spec: Spec }).spec, own);
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

/**
 * Whether the operator made this object, and nobody else has begun to apply it since. Others edit a mirror by updates, which
 * are undone; whoever applies it, by server-side apply or as kubectl and Argo CD do with an annotation, has taken it over.
 */
export function isMirror({ metadata, status }: EncryptedSecretObject): boolean {
  if (metadata.annotations?.[LAST_APPLIED] !== undefined) return false;
  const applied = (metadata.managedFields ?? []).filter(
    ({ operation, subresource }) => operation === 'Apply' && !subresource,
  );
  const isTaken = applied.some(({ manager, fieldsV1 = {} }) => manager !== FIELD_MANAGER && 'f:spec' in fieldsV1);
  // Updates of others take fields from our manager, of all fields in the end; what is in the status stays.
  const isMade = applied.some(({ manager }) => manager === FIELD_MANAGER);
  return !isTaken && (isMade || status?.mirror === true);
}

export function isLabelled({ labels }: ObjectMeta): boolean {
  return labels?.[MIRROR_LABEL] === 'true';
}
