import { CofferError } from '../../errors.ts';
import type { SignedObject } from '../../git/commits/signed-object.ts';
import { refusal } from '../refusal.ts';
import { NAMESPACE } from './allowed-signers.ts';
import { isCertificate, readCertificate } from './certificate.ts';
import { fingerprintOf, readPublicKey } from './public-key.ts';
import { readSshSignature, signedData } from './sshsig.ts';
import { verifySignature } from './verify-signature.ts';

/**
 * Whether this key made the signature, whoever trusts it: also one that is revoked by now counts, since it is asked what it has
 * done. `fingerprint`: `SHA256:…`; of a certificate, that of its key.
 */
export function isSignedWith({ payload, signature }: SignedObject, fingerprint: string): boolean {
  if (signature?.format !== 'ssh') return false;
  try {
    const made = readSshSignature(signature.text);
    const blob = made.publicKey;
    // Before it is verified: of thousands of commits few are by the key that is asked for.
    if (!isCertificate(blob) && fingerprintOf(blob) !== fingerprint) return false;
    const key = isCertificate(blob)
      ? readCertificate(blob).key
      : readPublicKey(blob, (what) => refusal('SIGNATURE_MALFORMED', `the key ${what}`));
    if (key.fingerprint !== fingerprint || made.namespace !== NAMESPACE) return false;
    verifySignature(key, made.signature, signedData(made, payload));
    return true;
  } catch (error) {
    if (error instanceof CofferError) return false;
    throw error;
  }
}
