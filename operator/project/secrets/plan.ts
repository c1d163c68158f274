import type { OwnerReference } from '../../kubernetes/resource.ts';
import type { ProjectedSecret, Provenance } from '../projector.ts';
import type { Digests } from './digests.ts';
import { metadataText, type OurSecret } from './inventory.ts';
import { PROJECTED_LABEL } from './marks.ts';

/** What the Secrets of one manifest are to be, in whichever namespace, as far as that is known without opening it. */
export interface SecretPlan {
  secret: ProjectedSecret;
  provenance: Provenance;
  fingerprint: string;
  labels: Record<string, string>;
  /** Without our marks. */
  annotations: Record<string, string>;
  /** Labels and annotations, to be compared. */
  metadata: string;
}

export function planOf(secret: ProjectedSecret, provenance: Provenance, digests: Digests): SecretPlan {
  const labels = { ...Object.fromEntries(secret.template.labels), [PROJECTED_LABEL]: 'true' };
  const annotations = Object.fromEntries(secret.template.annotations);
  const fingerprint = digests.ofManifest(secret, provenance);
  return { secret, provenance, fingerprint, labels, annotations, metadata: metadataText(labels, annotations) };
}

/** An owner's deletion takes the Secret along, so one of another namespace cannot be it, nor any where the Secret is to stay. */
export function ownerIn(namespace: string, { secret, provenance }: SecretPlan): OwnerReference | undefined {
  const { object } = provenance;
  if (object === undefined || object.namespace !== namespace || secret.deletionPolicy === 'Retain') return undefined;
  return { apiVersion: 'coffer.dev/v1', kind: 'EncryptedSecret', name: object.name, uid: object.uid };
}

/** Whether it is what the plan makes of its namespace: its entries are then those that the manifest had when they were written. */
export function isAsPlanned(known: OurSecret, plan: SecretPlan): boolean {
  return (
    known.isIntact &&
    known.asks === undefined &&
    known.fingerprint === plan.fingerprint &&
    known.metadata === plan.metadata &&
    known.provenance !== undefined &&
    known.homeNamespace === plan.secret.namespace &&
    known.owner === ownerIn(known.namespace, plan)?.uid
  );
}
