/** Who signed. */
export interface Signer {
  /** Principals of allowed_signers, or the name that the policy gives to an OpenPGP key; at least one. */
  names: readonly string[];
  /** `SHA256:…` as ssh-keygen writes it, or the fingerprint of the OpenPGP primary key. */
  key: string;
  format: 'ssh' | 'openpgp';
}
