import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';
import { privateKeyPem } from '../../../core/values/generate/key-pair.ts';
import {
  alternativeNames,
  CURVE,
  certificatePem,
  SIGNATURE,
  serialNumber,
  x509Library,
} from '../../../core/values/generate/x509.ts';

/** X.509 certificates of two shapes: an authority of our own, and a server's that it signs. */

/** PEM. `key`: PKCS #8, for the caller to wipe. */
export interface KeyedCertificate {
  certificate: string;
  key: Buffer;
}

export interface Validity {
  from: Date;
  to: Date;
}

export async function createAuthority(name: string, { from, to }: Validity): Promise<KeyedCertificate> {
  const x509 = await x509Library();
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
  return { certificate: certificatePem(certificate), key: privateKeyPem(KeyObject.from(keys.privateKey)) };
}

/** For a server that is reached by these DNS names and IP addresses; the first is its common name. */
export async function createServerCertificate(
  names: readonly string[],
  { from, to }: Validity,
  authority: KeyedCertificate,
): Promise<KeyedCertificate> {
  const x509 = await x509Library();
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
      new x509.SubjectAlternativeNameExtension(alternativeNames(names)),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return { certificate: certificatePem(certificate), key: privateKeyPem(KeyObject.from(keys.privateKey)) };
}
