import type { ObjectMeta } from '../../kubernetes/resource.ts';
import type { Provenance } from '../projector.ts';

/** What stands on a Secret beside its entries: what the operator writes there, and what people write for it. */

export const PROJECTED_LABEL = 'coffer.dev/projected';

/** Keyed digest of the entries, by which it is seen that nobody changed them. */
export const DIGEST = 'coffer.dev/digest';
/** Keyed digest of the manifest, by which it is seen that these are its entries, without opening it. */
export const FINGERPRINT = 'coffer.dev/fingerprint';
/** JSON: where the manifest stands, and a keyed digest of that. */
export const PROVENANCE = 'coffer.dev/provenance';
/** Its manifest went and it stayed (deletionPolicy Retain); proves that it was ours, for the day when the manifest comes back. */
export const RETAINED = 'coffer.dev/retained';

/** `"true"`, by a person, on a Secret that others made: coffer may take it over. */
export const ADOPT = 'coffer.dev/adopt';
/** `"true"`, by a person: it may be deleted and made again, where it cannot be changed otherwise. */
export const RECREATE = 'coffer.dev/recreate';
/** RFC 3339, by a person in an emergency: until then it is left as it is. */
export const SUSPEND_UNTIL = 'coffer.dev/suspend-until';

/** The annotations by which the operator knows its own. */
export const OWN_ANNOTATIONS: readonly string[] = [DIGEST, FINGERPRINT, PROVENANCE];

/** What the operator's Secret says of its manifest. */
export interface Mark {
  /** The manifest's, where it is not the Secret's (scope cluster). */
  homeNamespace: string;
  provenance: Provenance;
}

export function isAsked({ annotations }: ObjectMeta, what: typeof ADOPT | typeof RECREATE): boolean {
  return annotations?.[what] === 'true';
}
