/** Changes that a reader must notice. */

/** One bit of one byte flipped. A negative index counts from the end. */
export function flipped(bytes: Uint8Array, index: number): Buffer {
  const changed = Buffer.from(bytes);
  const at = index < 0 ? changed.length + index : index;
  changed[at] = (changed[at] ?? 0) ^ 0x01;
  return changed;
}

/** The last character of base64url with a bit set that no byte has: the same bytes to a careless decoder. */
export function dirtyEnd(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.slice(-1));
  return text.slice(0, -1) + alphabet.charAt(last | 0x01);
}

/** The u-coordinates for which X25519 gives zero whatever the scalar, and their encodings that are not canonical. */
export const LOW_ORDER_POINTS: { why: string; point: string }[] = [
  { why: 'zero', point: '00'.repeat(32) },
  { why: 'one', point: `01${'00'.repeat(31)}` },
  { why: 'of order 8', point: 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800' },
  { why: 'of order 8, the other', point: '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157' },
  { why: 'p - 1', point: `ec${'ff'.repeat(30)}7f` },
  { why: 'p, which is zero', point: `ed${'ff'.repeat(30)}7f` },
  { why: 'p + 1, which is one', point: `ee${'ff'.repeat(30)}7f` },
  { why: 'zero with the top bit set', point: `${'00'.repeat(31)}80` },
];
