import { Bug } from '../errors.ts';

export function encodeBase64url(_bytes: Uint8Array): string {
  throw new Bug('not written yet');
}

export function decodeBase64url(_text: string): Buffer {
  throw new Bug('not written yet');
}
