/** What certificates of ours have in common: ECDSA with P-256 and SHA-256 (RFC 5480, RFC 5758). */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

export const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Loaded only where a certificate is made, since the library is large. It wants the polyfill to be there before it. */
export async function x509Library() {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

/** Hexadecimal; positive and not to be foreseen, at most 20 octets (RFC 5280 §4.1.2.2). */
export function serialNumber(): string {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8() & 0x7f) | 0x40);
  return serial.toString('hex');
}

/** DNS names and IP addresses as a certificate has them (RFC 5280 §4.2.1.6). */
export function alternativeNames(names: readonly string[]): { type: 'ip' | 'dns'; value: string }[] {
  return names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }));
}

export function certificatePem(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem').trim()}\n`;
}
