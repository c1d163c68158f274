import { CofferError } from '../../errors.ts';
import { LARGEST_FILE, type SignersFile } from '../signers-file.ts';
import { type RevokedCertificates, readRevokedCertificates, skipExtension } from './krl-certificates.ts';
import { WireReader } from './wire.ts';

/** Keys that count no more, in base64: as SSH writes them, and the hashes of that. */
export interface Revocations {
  keys: ReadonlySet<string>;
  sha1: ReadonlySet<string>;
  sha256: ReadonlySet<string>;
  certificates: readonly RevokedCertificates[];
}

/** PROTOCOL.krl. */
const MAGIC = Buffer.from('SSHKRL\n\0', 'latin1');
const VERSION = 1;
const SECTION = { certificates: 1, keys: 2, sha1: 3, sha256: 5, extension: 255 } as const;

export const isKrl = (bytes: Buffer): boolean => bytes.subarray(0, MAGIC.length).equals(MAGIC);

/**
 * Reads a key revocation list as `ssh-keygen -k` writes it. What cannot be read is never passed over: neither an unknown
 * section nor a signature, which OpenSSH does not verify either and refuses since 9.4.
 *
 * @throws CofferError SIGNERS_REVOKED_KRL
 */
export function readKrl({ file, bytes }: SignersFile): Revocations {
  const refuse = (what: string): CofferError =>
    new CofferError('SIGNERS_REVOKED_KRL', `the revocation list ${file} ${what}`, {
      advice: 'Make it again with `ssh-keygen -k -f FILE KEY.pub …`, or list the public keys as text.',
      data: { file },
    });
  if (bytes.length > LARGEST_FILE) throw refuse('has more than 16 MiB');
  const reader = new WireReader(bytes, refuse);
  reader.bytes(MAGIC.length);
  if (reader.uint32() !== VERSION) throw refuse('is of another version than 1');
  reader.bytes(8 + 8);
  if (reader.uint64() !== 0n) throw refuse('has flags, and none are known');
  reader.string();
  reader.string();
  const certificates: RevokedCertificates[] = [];
  const revocations = { keys: new Set<string>(), sha1: new Set<string>(), sha256: new Set<string>(), certificates };
  while (!reader.isAtEnd) {
    const kind = reader.uint8();
    const section = reader.nested();
    if (kind === SECTION.keys) readBlobs(section, revocations.keys);
    else if (kind === SECTION.sha1) readBlobs(section, revocations.sha1, 20);
    else if (kind === SECTION.sha256) readBlobs(section, revocations.sha256, 32);
    else if (kind === SECTION.certificates) certificates.push(readRevokedCertificates(section, refuse));
    else if (kind === SECTION.extension) skipExtension(section, refuse);
    else throw refuse('has a section that coffer cannot read');
  }
  return revocations;

  function readBlobs(section: WireReader, into: Set<string>, length?: number): void {
    while (!section.isAtEnd) {
      const blob = section.string();
      if (blob.length === 0 || (length !== undefined && blob.length !== length))
        throw refuse('has an entry that is cut off');
      into.add(blob.toString('base64'));
    }
  }
}
