import { Bug } from '../errors.ts';

export function keyId(_publicKey: Uint8Array): string {
  throw new Bug('not written yet');
}
