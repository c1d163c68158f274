import type { Subject } from '../../../schemas/trust-policy.ts';
import { requestFile } from '../../requests/request.ts';
import type { Signer } from '../../signatures/signer.ts';
import { Signers } from '../../signatures/signers.ts';
import { Grants } from './grants.ts';
import { readPolicyFiles } from './policy-files.ts';
import type { NamespaceRules } from './reach-rules.ts';

/** A TrustPolicy with the files that it names. */
export interface Policy {
  /** The file that it was read from, as errors name it. */
  file: string;
  /** Over the bytes of all its files: another one means that something in them changed. */
  digest: string;
  /** All files that it was made of, absolute: what to look at for changes. */
  files: readonly string[];
  signers: Pick<Signers, 'verify'>;
  /** Whether some grant has this signer, path and subject; where the policy has no grants, every signer may all. */
  mayChange(signer: Signer, path: string, subject: Subject): boolean;
  /** Who may, for people: the signers of the grants that have this path and subject; `['*']`: every signer. Empty: nobody. */
  whoMay(path: string, subject: Subject): readonly string[];
  /** Whose endorsement of such a change counts: who may endorse, and change any of these subjects there (none: any signer may). */
  whoEndorses(path: string, subjects: readonly Subject[]): readonly string[];
  /** Its rules for namespaces as they are written; absent: there are none. */
  namespaces?: NamespaceRules;
}

/** Throws `TRUST_POLICY_KIND`, `TRUST_POLICY_FILE`, `SIGNERS_…`, `DOCUMENT_…` with file and line. */
export async function readPolicy(file: string): Promise<Policy> {
  const { spec, signers: signerFiles, digest, names } = await readPolicyFiles(file);
  const signers = await Signers.read(signerFiles);
  const grants = new Grants(spec.grants);
  return {
    file,
    digest,
    files: names,
    signers,
    mayChange: (signer, changed, subject) => grants.allow(signer, changed, subject),
    whoMay: (changed, subject) => grants.holders([changed, subject]),
    whoEndorses: (changed, subjects) => endorsersBy(grants, changed, subjects),
    ...(spec.namespaces === undefined ? {} : { namespaces: spec.namespaces }),
  };
}

/** `endorse` is about the file of the endorsement, not about the one that it endorses a change of. */
export function endorsersBy(grants: Grants, path: string, subjects: readonly Subject[]): readonly string[] {
  const endorse = [requestFile('endorse-0'), 'endorse'] as const;
  if (subjects.length === 0) return grants.holders(endorse);
  return [...new Set(subjects.flatMap((subject) => grants.holders(endorse, [path, subject])))];
}
