import type { Refuse } from '../refusal.ts';
import type { Certificate } from './certificate.ts';
import type { WireReader } from './wire.ts';

/** PROTOCOL.krl, section 2: certificates that count no more. */
export interface RevokedCertificates {
  /** In base64 as SSH writes it; empty: of any authority. */
  authority: string;
  /** Both ends are included. */
  serials: readonly (readonly [bigint, bigint])[];
  /** Bit N, from the last one, is the serial `offset` + N. */
  bitmaps: readonly { offset: bigint; bits: Buffer }[];
  keyIds: ReadonlySet<string>;
}

const KIND = { list: 0x20, range: 0x21, bitmap: 0x22, keyId: 0x23, extension: 0x39 } as const;

export function readRevokedCertificates(section: WireReader, refuse: Refuse): RevokedCertificates {
  const authority = section.string().toString('base64');
  const serials: [bigint, bigint][] = [];
  const bitmaps: { offset: bigint; bits: Buffer }[] = [];
  const keyIds = new Set<string>();
  section.string();
  while (!section.isAtEnd) {
    const kind = section.uint8();
    const body = section.nested();
    if (kind === KIND.list) {
      for (; !body.isAtEnd; ) {
        const serial = body.uint64();
        serials.push([serial, serial]);
      }
    } else if (kind === KIND.range) serials.push([body.uint64(), body.uint64()]);
    else if (kind === KIND.bitmap) bitmaps.push({ offset: body.uint64(), bits: body.positive() });
    else if (kind === KIND.keyId) while (!body.isAtEnd) keyIds.add(body.string().toString('latin1'));
    else if (kind === KIND.extension) skipExtension(body, refuse);
    else throw refuse('has a section on certificates that coffer cannot read');
    body.end();
  }
  return { authority, serials, bitmaps, keyIds };
}

/** Throws where it is critical: none are known. */
export function skipExtension(section: WireReader, refuse: Refuse): void {
  section.string();
  if (section.uint8() !== 0) throw refuse('has a critical extension, and none are known');
  section.string();
  section.end();
}

export function isRevokedBy(certificate: Certificate, revoked: RevokedCertificates): boolean {
  const { serial, keyId } = certificate;
  if (revoked.authority !== '' && revoked.authority !== certificate.authority.toString('base64')) return false;
  if (revoked.keyIds.has(keyId)) return true;
  const isListed = revoked.serials.some(([from, to]) => from <= serial && serial <= to);
  return isListed || revoked.bitmaps.some(({ offset, bits }) => isSet(bits, serial - offset));
}

function isSet(bits: Buffer, index: bigint): boolean {
  if (index < 0n || index >= BigInt(bits.length) * 8n) return false;
  const place = Number(index);
  return ((bits.at(-1 - (place >> 3)) ?? 0) & (1 << (place & 7))) !== 0;
}
