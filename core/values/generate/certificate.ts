/** A certificate that signs itself, and its key: for TLS between workloads that are given it to trust. */
import { KeyObject, webcrypto } from 'node:crypto';
import { type KeyPairText, privateKeyPem } from './key-pair.ts';
import { alternativeNames, CURVE, certificatePem, SIGNATURE, serialNumber, x509Library } from './x509.ts';

const DAY = 86_400_000;
/** Clocks of those who are to accept it may be behind. */
const LEEWAY = 5 * 60_000;
/** RFC 5280, appendix A.1: ub-common-name. */
const LONGEST_COMMON_NAME = 64;

/**
 * PEM, ECDSA with P-256. It is no authority: some libraries refuse one as a server's certificate, and all take a trusted
 * certificate as it is.
 *
 * @param names DNS names and addresses; the first is the common name too
 */
export async function selfSignedCertificate(names: readonly string[], days: number, now: Date): Promise<KeyPairText> {
  const x509 = await x509Library();
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
      new x509.SubjectAlternativeNameExtension(alternativeNames(names), !hasCommonName),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    privateKey: privateKeyPem(KeyObject.from(keys.privateKey)),
    publicKey: Buffer.from(certificatePem(certificate)),
  };
}
