import type { Generate } from '../../format/manifest/rotation.ts';
import { randomBase64, randomHex, randomPassword, randomUuid } from './random-text.ts';
import { LENGTHS, USUAL_BITS, USUAL_DAYS } from './usual.ts';

export interface Generated {
  /** For the caller to wipe. */
  value: Buffer;
  /** Of a key pair: what goes with it. */
  public?: Buffer;
}

/** The four kinds that are text without structure, made at once. Length: see `LENGTHS`. */
export function generateText(kind: 'password' | 'hex' | 'base64' | 'uuid', length: number = LENGTHS.usual): Buffer {
  switch (kind) {
    case 'password':
      return randomPassword(length);
    case 'hex':
      return randomHex(length);
    case 'base64':
      return randomBase64(length);
    case 'uuid':
      return randomUuid();
  }
}

/** `now`: from when a certificate is valid. */
export async function generate(wanted: Generate, now: Date): Promise<Generated> {
  const { kind, length, bits = USUAL_BITS, names = [], days = USUAL_DAYS } = wanted;
  switch (kind) {
    case 'ed25519':
    case 'rsa': {
      const { ed25519Pair, rsaPair } = await import('./key-pair.ts');
      const { privateKey, publicKey } = await (kind === 'rsa' ? rsaPair(bits) : ed25519Pair());
      return { value: privateKey, public: publicKey };
    }
    case 'tls': {
      const { selfSignedCertificate } = await import('./certificate.ts');
      const { privateKey, publicKey } = await selfSignedCertificate(names, days, now);
      return { value: privateKey, public: publicKey };
    }
    default:
      return { value: generateText(kind, length) };
  }
}
