import { Bug } from '../errors.ts';
import { type Random, systemRandom } from './random.ts';

export function keyPairFromSeed(_seed: Uint8Array): { publicKey: Buffer } {
  throw new Bug('not written yet');
}

export function hpkeSeal(
  _publicKey: Uint8Array,
  _info: Uint8Array,
  _plaintext: Uint8Array,
  _random: Random = systemRandom,
): Buffer {
  throw new Bug('not written yet');
}

export function hpkeOpen(_seed: Uint8Array, _info: Uint8Array, _sealed: Uint8Array): Buffer {
  throw new Bug('not written yet');
}
