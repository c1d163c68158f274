import { Bug } from '../errors.ts';
import { type Random, systemRandom } from './random.ts';

export interface DataKey {
  id: string;
  key: Buffer;
}

export function newDataKey(_random: Random = systemRandom): DataKey {
  throw new Bug('not written yet');
}

export function dataKeyId(_key: Uint8Array): string {
  throw new Bug('not written yet');
}

export function matchesId(_key: Uint8Array, _id: string): boolean {
  throw new Bug('not written yet');
}
