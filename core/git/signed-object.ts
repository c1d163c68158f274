import { Bug } from '../errors.ts';

export interface SignedObject {
  oid: string;
  type: 'commit' | 'tag';
  /** The bytes that were signed. */
  payload: Buffer;
  signature?: { format: 'ssh' | 'openpgp' | 'x509'; text: Buffer };
}

/** Throws CofferError `GIT_OBJECT_MALFORMED`, `SIGNATURE_HEADER`. */
export function readSigned(_type: 'commit' | 'tag', _oid: string, _bytes: Buffer): SignedObject {
  throw new Bug('not written yet');
}
