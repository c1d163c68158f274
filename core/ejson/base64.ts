/**
 * Standard base64 with padding, read strictly from bytes. Buffer.from skips what is not base64, and going through
 * strings to notice it cost half of the time that opening a large file takes.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PADDING = 0x3d;
const INVALID = 0xff;

const SEXTETS = new Uint8Array(256).fill(INVALID);
for (const [value, character] of [...ALPHABET].entries()) SEXTETS[character.charCodeAt(0)] = value;

/**
 * Writes what `bytes[start..end)` spells to the beginning of `target` and returns its length; -1 if it is not the one
 * spelling of any bytes, or of more than `target` holds.
 */
export function decodeBase64(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  if ((end - start) % 4 !== 0) return -1;
  let padding = 0;
  while (padding < 2 && end - padding > start && bytes[end - 1 - padding] === PADDING) padding += 1;
  const length = ((end - start) / 4) * 3 - padding;
  if (length > target.length) return -1;
  let written = 0;
  let bits = 0;
  for (let at = start; at < end - padding; at++) {
    const sextet = SEXTETS[bytes[at] ?? 0] ?? INVALID;
    if (sextet === INVALID) return -1;
    bits = ((bits << 6) | sextet) & 0xffffff;
    const position = (at - start) & 3;
    if (position !== 0) target[written++] = bits >> (6 - 2 * position);
  }
  // Bits that no byte takes are zero in the one spelling.
  return (bits & (padding === 2 ? 0x0f : padding === 1 ? 0x03 : 0)) === 0 ? length : -1;
}

export function isBase64Character(byte: number | undefined): boolean {
  return byte !== undefined && (byte === PADDING || SEXTETS[byte] !== INVALID);
}
