/** As much of DER (ITU-T X.690) as writing one kind of certificate takes. */

const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

export function sequence(...parts: Uint8Array[]): Buffer {
  return tagged(TAGS.sequence, ...parts);
}

export function set(...parts: Uint8Array[]): Buffer {
  return tagged(TAGS.set, ...parts);
}

/** `[number]`, constructed. */
export function context(number: number, ...parts: Uint8Array[]): Buffer {
  return tagged(0xa0 | number, ...parts);
}

/** `[number] IMPLICIT`, primitive. */
export function implicit(number: number, bytes: Uint8Array): Buffer {
  return tagged(0x80 | number, bytes);
}

/** Of a magnitude: never negative. */
export function integer(magnitude: Uint8Array): Buffer {
  let at = 0;
  while (at < magnitude.length - 1 && magnitude[at] === 0) at++;
  const bytes = magnitude.subarray(at);
  const needsZero = ((bytes[0] ?? 0) & 0x80) !== 0;
  return needsZero ? tagged(TAGS.integer, Buffer.from([0]), bytes) : tagged(TAGS.integer, bytes);
}

export function boolean(value: boolean): Buffer {
  return tagged(TAGS.boolean, Buffer.from([value ? 0xff : 0]));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(TAGS.bitString, Buffer.from([unusedBits]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(TAGS.octetString, bytes);
}

export function utf8String(text: string): Buffer {
  return tagged(TAGS.utf8String, Buffer.from(text));
}

/** `1.2.840.…` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(TAGS.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** RFC 5280, section 4.1.2.5: UTCTime through 2049, then GeneralizedTime. */
export function time(at: Date): Buffer {
  const digits = `${at.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
  return at.getUTCFullYear() < 2050
    ? tagged(TAGS.utcTime, Buffer.from(digits.slice(2)))
    : tagged(TAGS.generalizedTime, Buffer.from(digits));
}

function tagged(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(content.length)]), content]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

/** Seven bits an octet, the highest first; all but the last have the eighth bit. */
function base128(value: number): number[] {
  const octets = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) | 0x80);
  return octets;
}
