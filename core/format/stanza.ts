import { Bug } from '../errors.ts';
import type { Binding } from './binding.ts';
import type { DataKey } from './data-key.ts';
import { type Random, systemRandom } from './random.ts';

/** A public key that a data key is sealed to. */
export interface SealingKey {
  recipient: string;
  kid: string;
  publicKey: Uint8Array;
}

/** The secret half, under the opener's own name for itself. */
export interface OpeningKey {
  recipient: string;
  kid: string;
  seed: Uint8Array;
}

export function sealStanza(
  _dataKey: DataKey,
  _to: SealingKey,
  _binding: Binding,
  _random: Random = systemRandom,
): string {
  throw new Bug('not written yet');
}

export function openStanza(_text: string, _as: OpeningKey, _binding: Binding, _dataKeyId: string): Buffer {
  throw new Bug('not written yet');
}

export function parseStanza(_text: string): { kid: string; sealed: Buffer } {
  throw new Bug('not written yet');
}
