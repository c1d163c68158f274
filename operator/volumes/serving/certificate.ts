import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  boolean,
  context,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

/**
 * X.509 certificates (RFC 5280) of two shapes: an authority of our own, and a server's that it signs. ECDSA with P-256 and
 * SHA-256, which every TLS client speaks.
 */

/** PEM. `key`: PKCS #8, for the caller to wipe. */
export interface KeyedCertificate {
  certificate: string;
  key: Buffer;
}

export interface Validity {
  from: Date;
  to: Date;
}

const OIDS = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/** Bits of KeyUsage, the first is the highest (RFC 5280, section 4.2.1.3), with how many at the end are unused. */
const DIGITAL_SIGNATURE = bitString(Buffer.from([0x80]), 7);
const KEY_CERT_SIGN = bitString(Buffer.from([0x04]), 2);

const SIGNATURE_ALGORITHM = sequence(objectIdentifier(OIDS.ecdsaWithSha256));

export function createAuthority(name: string, validity: Validity): KeyedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const extensions = [
    // An authority below this one would be nobody's.
    extension(OIDS.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), true),
    extension(OIDS.keyUsage, KEY_CERT_SIGN, true),
    extension(OIDS.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
  ];
  const certificate = signed({ subject: name, issuer: name, publicKey, validity, extensions }, privateKey);
  return { certificate, key: pemOf(privateKey) };
}

/** For a server that is reached by these DNS names and IP addresses; the first is its common name. */
export function createServerCertificate(
  names: readonly string[],
  validity: Validity,
  authority: { name: string; key: Buffer; publicKey: KeyObject },
): KeyedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const extensions = [
    extension(OIDS.basicConstraints, sequence(), true),
    extension(OIDS.keyUsage, DIGITAL_SIGNATURE, true),
    extension(OIDS.extendedKeyUsage, sequence(objectIdentifier(OIDS.serverAuth))),
    extension(OIDS.subjectAltName, sequence(...names.map(generalName))),
    extension(OIDS.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(authority.publicKey)))),
  ];
  const [subject = ''] = names;
  const issuerKey = createPrivateKey({ key: authority.key, format: 'pem' });
  const certificate = signed({ subject, issuer: authority.name, publicKey, validity, extensions }, issuerKey);
  return { certificate, key: pemOf(privateKey) };
}

interface Contents {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  validity: Validity;
  extensions: Buffer[];
}

function signed({ subject, issuer, publicKey, validity, extensions }: Contents, issuerKey: KeyObject): string {
  const version3 = context(0, integer(Buffer.from([2])));
  const contents = sequence(
    version3,
    integer(serialNumber()),
    SIGNATURE_ALGORITHM,
    distinguishedName(issuer),
    sequence(time(validity.from), time(validity.to)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions)),
  );
  const der = sequence(contents, SIGNATURE_ALGORITHM, bitString(sign('sha256', contents, issuerKey)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** Positive and not to be foreseen, at most 20 octets (RFC 5280, section 4.1.2.2). */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial.writeUInt8(serial.readUInt8() | 0x40);
  return serial;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(OIDS.commonName), utf8String(commonName))));
}

function extension(oid: string, value: Uint8Array, isCritical = false): Buffer {
  const critical = isCritical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...critical, octetString(value));
}

/** dNSName or iPAddress (RFC 5280, section 4.2.1.6). */
function generalName(name: string): Buffer {
  const version = isIP(name);
  if (version === 0) return implicit(2, Buffer.from(name, 'ascii'));
  return implicit(7, version === 4 ? Buffer.from(name.split('.').map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Buffer {
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [head = [], tail = []] = address.split('::').map(groups);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return Buffer.from([...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]));
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function pemOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
}
