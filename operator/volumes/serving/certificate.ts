import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

/** X.509 certificates of two shapes: an authority of our own, and a server's that it signs. ECDSA with P-256 and SHA-256. */

/** PEM. `key`: PKCS #8, for the caller to wipe. */
export interface KeyedCertificate {
  certificate: string;
  key: Buffer;
}

export interface Validity {
  from: Date;
  to: Date;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Loaded only where a certificate is due: seldom, and the library is large. It wants the polyfill to be there before it. */
async function library() {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

export async function createAuthority(name: string, { from, to }: Validity): Promise<KeyedCertificate> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    serialNumber: serialNumber(),
    notBefore: from,
    notAfter: to,
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      // An authority below this one would be nobody's.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: exportKey(keys.privateKey) };
}

/** For a server that is reached by these DNS names and IP addresses; the first is its common name. */
export async function createServerCertificate(
  names: readonly string[],
  { from, to }: Validity,
  authority: KeyedCertificate,
): Promise<KeyedCertificate> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [names[0] ?? ''] }],
    issuer: issuer.subject,
    serialNumber: serialNumber(),
    notBefore: from,
    notAfter: to,
    publicKey: keys.publicKey,
    signingKey: createPrivateKey(authority.key).toCryptoKey(CURVE, false, ['sign']),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return { certificate: pem(certificate), key: exportKey(keys.privateKey) };
}

/** Hexadecimal; positive and not to be foreseen, at most 20 octets (RFC 5280, section 4.1.2.2). */
function serialNumber(): string {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  return serial.toString('hex');
}

function pem(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem').trim()}\n`;
}

function exportKey(key: webcrypto.CryptoKey): Buffer {
  return Buffer.from(KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }));
}
