import { CofferError } from '../errors.ts';

/** Makes the error of whoever reads something: `what` continues a sentence about the thing that is read. */
export type Refuse = (what: string) => CofferError;

/** Why a signature does not count, each with what to do about it. */
const ADVICE = {
  SIGNATURE_MALFORMED: 'Sign it again with git and a current ssh-keygen or gpg.',
  SIGNATURE_UNSUPPORTED: 'Sign with an SSH key or an OpenPGP key: `git config gpg.format ssh`.',
  SIGNATURE_ALGORITHM: 'Sign it again with a current ssh-keygen or gpg, and with a hash of the SHA-2 family.',
  SIGNATURE_NAMESPACE: 'Do not take it: it was made to sign something other than a commit. Sign the commit with git.',
  SIGNATURE_SIGNER_UNKNOWN: 'If this signer is to be trusted, add the key to the signers’ files of the trust policy.',
  SIGNATURE_KEY_REVOKED: 'Let another signer make the commit, and look at what else this key has signed.',
  SIGNATURE_KEY_NOT_VALID: 'Renew the key, or its line among the signers; the date of the commit does not help.',
  SIGNATURE_NO_TOUCH: 'Sign it again with a key that asks for a touch (made without `-O no-touch-required`).',
  SIGNATURE_BAD: 'Do not take it: it was changed after it was signed, or the signature is of something else.',
} as const;

export type RefusalCode = keyof typeof ADVICE;

export function refusal(code: RefusalCode, message: string, cause?: unknown): CofferError {
  return new CofferError(code, message, { advice: ADVICE[code], ...(cause !== undefined && { cause }) });
}
