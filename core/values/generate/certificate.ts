/** A certificate that signs itself, and its key: for TLS between workloads that are given it to trust. */
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { type KeyPairText, privateKeyPem } from './key-pair.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
/** Clocks of those who are to accept it may be behind. */
const LEEWAY = 5 * 60_000;
/** RFC 5280, appendix A.1: ub-common-name. */
const LONGEST_COMMON_NAME = 64;

/** Loaded only where a certificate is made, since the library is large. It wants the polyfill to be there before it. */
async function library() {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

/**
 * PEM, ECDSA with P-256. It is no authority: some libraries refuse one as a server's certificate, and all take a trusted
 * certificate as it is.
 *
 * @param names DNS names and addresses; the first is the common name too
 */
export async function selfSignedCertificate(names: readonly string[], days: number, now: Date): Promise<KeyPairText> {
  const x509 = await library();
  const keys = await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const [first = ''] = names;
  const hasCommonName = first.length <= LONGEST_COMMON_NAME;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: hasCommonName ? [{ CN: [first] }] : [],
    serialNumber: serialNumber(),
    notBefore: new Date(now.getTime() - LEEWAY),
    notAfter: new Date(now.getTime() + days * DAY),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      // RFC 5280 §4.2.1.6: critical where there is no other name.
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
        !hasCommonName,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    privateKey: privateKeyPem(KeyObject.from(keys.privateKey)),
    publicKey: Buffer.from(`${certificate.toString('pem').trim()}\n`),
  };
}

/** Hexadecimal; positive and not to be foreseen, at most 20 octets (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  return serial.toString('hex');
}
