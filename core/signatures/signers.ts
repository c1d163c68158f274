import { Bug, type CofferError } from '../errors.ts';
import type { SignedObject } from '../git/signed-object.ts';

export interface Signer {
  /** Principals of allowed_signers, or the name that the policy gives to an OpenPGP key; at least one. */
  names: readonly string[];
  /** `SHA256:…` as ssh-keygen writes it, or the fingerprint of the OpenPGP primary key. */
  key: string;
  format: 'ssh' | 'openpgp';
}

export type Judged =
  | { outcome: 'good'; signer: Signer }
  | { outcome: 'unsigned' }
  | { outcome: 'refused'; error: CofferError };

export interface SignersFile {
  /** As it is named in errors. */
  file: string;
  bytes: Buffer;
}

export interface SignerFiles {
  ssh?: { allowedSigners: SignersFile; revoked?: SignersFile };
  openpgp?: { keys: ({ name: string } & SignersFile)[]; revoked: readonly string[] };
}

/** Whose signatures count. */
export class Signers {
  /** Throws CofferError `SIGNERS_…` with file and line. */
  static async read(_files: SignerFiles): Promise<Signers> {
    throw new Bug('not written yet');
  }

  /** Judged at `now`, when the commit is first seen: dates in the commit or the signature prove nothing. */
  async verify(_object: SignedObject, _now: Date): Promise<Judged> {
    throw new Bug('not written yet');
  }
}
