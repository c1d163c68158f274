import { Bug } from '../errors.ts';
import type { Binding } from './binding.ts';
import type { DataKey } from './data-key.ts';
import { type Random, systemRandom } from './random.ts';

export interface SealedValue {
  dataKeyId: string;
  nonce: Buffer;
  ciphertext: Buffer;
}

/** Whether a text claims to be sealed, by coffer or by ejson. Such a text is never taken for plaintext. */
export function looksSealed(text: string): boolean {
  return text.startsWith('CF[') || text.startsWith('EJ[');
}

export function sealValue(
  _plaintext: Uint8Array,
  _dataKey: DataKey,
  _binding: Binding,
  _entry: string,
  _random: Random = systemRandom,
): string {
  throw new Bug('not written yet');
}

export function openValue(_text: string, _dataKey: Uint8Array, _binding: Binding, _entry: string): Buffer {
  throw new Bug('not written yet');
}

export function parseSealedValue(_text: string): SealedValue {
  throw new Bug('not written yet');
}
