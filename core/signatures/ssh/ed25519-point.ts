/**
 * The y coordinates of the points whose order divides 8, little-endian without the bit of x's sign. A signature by such a
 * key holds for many messages at once, so that nobody can be said to have signed one of them.
 */
const LOW_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/** 2^255 - 19, big-endian. */
const PRIME = Buffer.from('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed', 'hex');

/** Whether 32 bytes could be an Ed25519 public key that somebody made as RFC 8032 says: y below the prime, order large. */
export function isUsualPoint(point: Buffer): boolean {
  if (point.length !== 32) return false;
  const y = Buffer.from(point);
  y.writeUInt8(y.readUInt8(31) & 0x7f, 31);
  return !LOW_ORDER.has(y.toString('hex')) && Buffer.compare(y.reverse(), PRIME) < 0;
}
