import { CofferError } from '../errors.ts';
import type { SignedObject } from '../git/commits/signed-object.ts';
import { type OpenPgpSignerFiles, OpenPgpSigners } from './openpgp/openpgp-signers.ts';
import { refusal } from './refusal.ts';
import type { Signer } from './signer.ts';
import { type SshSignerFiles, SshSigners } from './ssh/ssh-signers.ts';

export type { Signer } from './signer.ts';
export type { SignersFile } from './signers-file.ts';

/** `refused`: the error has a code `SIGNATURE_…` and names the commit. */
export type Judged =
  | { outcome: 'good'; signer: Signer }
  | { outcome: 'unsigned' }
  | { outcome: 'refused'; error: CofferError };

export interface SignerFiles {
  ssh?: SshSignerFiles;
  openpgp?: OpenPgpSignerFiles;
}

/** Whose signatures count: read once, then asked for many commits and tags. */
export class Signers {
  readonly #ssh: SshSigners | undefined;
  readonly #openpgp: OpenPgpSigners | undefined;

  private constructor(ssh: SshSigners | undefined, openpgp: OpenPgpSigners | undefined) {
    this.#ssh = ssh;
    this.#openpgp = openpgp;
  }

  /**
   * The files' names are only for errors.
   *
   * @throws CofferError SIGNERS_ALLOWED_LINE, SIGNERS_REVOKED_LINE, SIGNERS_REVOKED_KRL, SIGNERS_OPENPGP_KEYS
   */
  static async read({ ssh, openpgp }: SignerFiles): Promise<Signers> {
    return new Signers(ssh && new SshSigners(ssh), openpgp && (await OpenPgpSigners.read(openpgp)));
  }

  /**
   * Who signed the object. Keys are judged at `now`, when it is first seen, and not by any date in it: who steals a key
   * could write whatever date there.
   */
  async verify({ oid, payload, signature }: SignedObject, now: Date): Promise<Judged> {
    if (signature === undefined) return { outcome: 'unsigned' };
    try {
      return { outcome: 'good', signer: await this.#signerOf(payload, signature, now) };
    } catch (error) {
      if (error instanceof CofferError) return { outcome: 'refused', error: error.at({ commit: oid }) };
      throw error;
    }
  }

  async #signerOf(payload: Buffer, signature: Required<SignedObject>['signature'], now: Date): Promise<Signer> {
    const { format, text } = signature;
    if (format === 'x509') {
      throw refusal(
        'SIGNATURE_UNSUPPORTED',
        'the signature is an X.509 one (gpgsm, gitsign), which coffer does not read',
      );
    }
    if (format === 'ssh' && this.#ssh !== undefined) {
      return this.#ssh.verify(payload, text, Math.floor(now.getTime() / 1000));
    }
    if (format === 'openpgp' && this.#openpgp !== undefined) return this.#openpgp.verify(payload, text, now);
    throw refusal('SIGNATURE_SIGNER_UNKNOWN', 'the policy names no signers with keys of this kind');
  }
}
