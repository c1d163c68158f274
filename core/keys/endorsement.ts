import { Bug } from '../errors.ts';

export function identityOf(_identitySeed: Uint8Array): Buffer {
  throw new Bug('not written yet');
}

export function endorse(_identitySeed: Uint8Array, _recipient: string, _kid: string, _created: string): string {
  throw new Bug('not written yet');
}

export function verifyEndorsement(
  _identity: Uint8Array,
  _endorsement: string,
  _recipient: string,
  _kid: string,
  _created: string,
): boolean {
  throw new Bug('not written yet');
}
