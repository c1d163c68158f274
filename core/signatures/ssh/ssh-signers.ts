import { refusal } from '../refusal.ts';
import type { Signer } from '../signer.ts';
import type { SignersFile } from '../signers-file.ts';
import { AllowedSigners, NAMESPACE, principalsOf } from './allowed-signers.ts';
import { fingerprintOf } from './public-key.ts';
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
      throw refusal('SIGNATURE_NAMESPACE', 'the SSH signature was made for something else than git');
    }
    const fingerprint = fingerprintOf(signature.publicKey);
    const lines = this.#allowed.find(signature.publicKey);
    const [line] = lines;
    if (line === undefined) {
      throw refusal('SIGNATURE_SIGNER_UNKNOWN', `the SSH key ${fingerprint} is not among the signers`);
    }
    if (this.#revoked?.has(line.key.blob)) {
      throw refusal('SIGNATURE_KEY_REVOKED', `the SSH key ${fingerprint} is revoked`);
    }
    const names = principalsOf(lines, now);
    verifySignature(line.key, signature.signature, signedData(signature, payload));
    return { names, key: fingerprint, format: 'ssh' };
  }
}
