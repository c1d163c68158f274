import { Bug } from '../errors.ts';

export function publicKeyText(_publicKey: Uint8Array): string {
  throw new Bug('not written yet');
}
export function parsePublicKey(_text: string): Buffer {
  throw new Bug('not written yet');
}
export function secretKeyText(_seed: Uint8Array): string {
  throw new Bug('not written yet');
}
export function parseSecretKey(_text: string): Buffer {
  throw new Bug('not written yet');
}
export function identityText(_identity: Uint8Array): string {
  throw new Bug('not written yet');
}
export function parseIdentity(_text: string): Buffer {
  throw new Bug('not written yet');
}
export function identitySecretText(_identitySeed: Uint8Array): string {
  throw new Bug('not written yet');
}
export function parseIdentitySecret(_text: string): Buffer {
  throw new Bug('not written yet');
}
