import { refusal } from '../refusal.ts';
import type { Signer } from '../signer.ts';
import type { SignersFile } from '../signers-file.ts';
import { AllowedSigners, certifiedPrincipalsOf, NAMESPACE, principalsOf } from './allowed-signers.ts';
import { isCertificate, readCertificate } from './certificate.ts';
import { fingerprintOf, type PublicKey } from './public-key.ts';
import { RevokedKeys } from './revoked-keys.ts';
import { readSshSignature, signedData } from './sshsig.ts';
import { verifySignature } from './verify-signature.ts';

export interface SshSignerFiles {
  allowedSigners: SignersFile;
  revoked?: SignersFile;
}

/** Whose SSH signatures count. */
export class SshSigners {
  readonly #allowed: AllowedSigners;
  readonly #revoked: RevokedKeys | undefined;

  /** @throws CofferError SIGNERS_ALLOWED_LINE, SIGNERS_REVOKED_LINE, SIGNERS_REVOKED_KRL */
  constructor({ allowedSigners, revoked }: SshSignerFiles) {
    this.#allowed = AllowedSigners.read(allowedSigners);
    this.#revoked = revoked && RevokedKeys.read(revoked);
  }

  /** `now` in seconds since 1970. @throws CofferError SIGNATURE_… */
  verify(payload: Buffer, text: Buffer, now: number): Signer {
    const signature = readSshSignature(text);
    if (signature.namespace !== NAMESPACE) {
      throw refusal('SIGNATURE_NAMESPACE', 'the SSH signature was made for something other than git');
    }
    const { publicKey } = signature;
    const { key, names } = isCertificate(publicKey) ? this.#certified(publicKey, now) : this.#listed(publicKey, now);
    verifySignature(key, signature.signature, signedData(signature, payload));
    return { names, key: key.fingerprint, format: 'ssh' };
  }

  #listed(blob: Buffer, now: number): { key: PublicKey; names: string[] } {
    const lines = this.#allowed.find(blob);
    const key = lines[0]?.key;
    if (key === undefined) throw unknown(`the SSH key ${fingerprintOf(blob)}`);
    if (this.#revoked?.has(blob)) throw revokedKey(key);
    return { key, names: principalsOf(lines, now) };
  }

  #certified(blob: Buffer, now: number): { key: PublicKey; names: string[] } {
    const certificate = readCertificate(blob);
    const { key } = certificate;
    const lines = this.#allowed.findAuthority(certificate.authority);
    const authority = lines[0]?.key;
    if (authority === undefined)
      throw unknown(`the authority ${fingerprintOf(certificate.authority)} of an SSH certificate`);
    verifySignature(authority, certificate.signature, certificate.signed);
    if (this.#revoked?.hasCertificate(certificate)) throw revokedKey(key);
    return { key, names: certifiedPrincipalsOf(lines, certificate, now) };
  }
}

const unknown = (who: string) => refusal('SIGNATURE_SIGNER_UNKNOWN', `${who} is not among the signers`);
const revokedKey = ({ fingerprint }: PublicKey) =>
  refusal('SIGNATURE_KEY_REVOKED', `the SSH key ${fingerprint}, or its certificate, is revoked`);
