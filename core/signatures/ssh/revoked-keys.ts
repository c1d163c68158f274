import { createHash } from 'node:crypto';
import { CofferError } from '../../errors.ts';
import type { Refuse } from '../refusal.ts';
import { linesOf, type SignersFile } from '../signers-file.ts';
import { type Certificate, isCertificate } from './certificate.ts';
import { readKeyText } from './key-text.ts';
import { isKrl, type Revocations, readKrl } from './krl.ts';
import { isRevokedBy } from './krl-certificates.ts';
import { readPublicKey } from './public-key.ts';
import { WireReader } from './wire.ts';

/** What `ssh-keygen -Y verify -r FILE` takes: a KRL, or a list of public keys; and fingerprints (`SHA256:…`) besides. */
export class RevokedKeys {
  readonly #revocations: Revocations;

  private constructor(revocations: Revocations) {
    this.#revocations = revocations;
  }

  /** @throws CofferError SIGNERS_REVOKED_LINE, SIGNERS_REVOKED_KRL */
  static read(file: SignersFile): RevokedKeys {
    return new RevokedKeys(isKrl(file.bytes) ? readKrl(file) : readList(file));
  }

  hasCertificate(certificate: Certificate): boolean {
    return (
      this.has(certificate.key.blob) ||
      this.has(certificate.authority) ||
      this.#revocations.certificates.some((revoked) => isRevokedBy(certificate, revoked))
    );
  }

  /** A key as SSH writes it. */
  has(blob: Buffer): boolean {
    const { keys, sha1, sha256 } = this.#revocations;
    const digest = (hash: string) => createHash(hash).update(blob).digest('base64');
    return keys.has(blob.toString('base64')) || sha256.has(digest('sha256')) || sha1.has(digest('sha1'));
  }
}

function readList(file: SignersFile): Revocations {
  const keys = new Set<string>();
  const sha256 = new Set<string>();
  const refuseAt = (line: number, what: string): CofferError =>
    new CofferError('SIGNERS_REVOKED_LINE', `line ${line} of ${file.file} has ${what}`, {
      advice: 'Write one public key a line as in a `.pub` file, or a fingerprint as `ssh-keygen -l` prints it.',
      data: { file: file.file, line },
    });
  for (const { text, number } of linesOf(file, refuseAt)) {
    const fingerprint = /^SHA256:([A-Za-z0-9+/]{43})$/.exec(text)?.[1];
    if (fingerprint !== undefined) sha256.add(`${fingerprint}=`);
    else keys.add(readKey(text, (what) => refuseAt(number, what)).toString('base64'));
  }
  return { keys, sha256, sha1: new Set(), certificates: [] };
}

/** A key in the form that keys are compared in; a weak one too, which is a good reason to revoke it. */
function readKey(text: string, refuse: Refuse): Buffer {
  const blob = readKeyText(text, refuse);
  if (isCertificate(blob)) throw refuse('a certificate; revoke its key, or write a KRL');
  if (!text.startsWith('ssh-rsa')) return readPublicKey(blob, refuse).blob;
  const reader = new WireReader(blob, (what) => refuse(`a key that ${what}`));
  reader.name();
  reader.positive();
  reader.positive();
  reader.end();
  return blob;
}
