import type { Subject } from '../../schemas/trust-policy.ts';
import { Bug } from '../errors.ts';
import type { Signer, Signers } from '../signatures/signers.ts';

/** A TrustPolicy with the files that it names. */
export interface Policy {
  /** The file that it was read from, as errors name it. */
  file: string;
  /** Over the bytes of all its files: another one means that something in them changed. */
  digest: string;
  /** All files that it was made of, absolute: what to look at for changes. */
  files: readonly string[];
  signers: Signers;
  /** Whether some grant has this signer, path and subject; where the policy has no grants, every signer may all. */
  mayChange(signer: Signer, path: string, subject: Subject): boolean;
  /** Who may, for people: the signers of the grants that have this path and subject. Empty: nobody. */
  whoMay(path: string, subject: Subject): readonly string[];
  /** Whether a manifest at this path may write to this namespace (a name, or a glob of the same reach). */
  mayWriteTo(path: string, namespace: string): boolean;
}

/** Throws `TRUST_POLICY_…`, `SIGNERS_…` with file and line. */
export async function readPolicy(_file: string): Promise<Policy> {
  throw new Bug('not written yet');
}
