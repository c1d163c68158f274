import { Bug } from '../errors.ts';

export function pae(..._parts: (string | Uint8Array)[]): Buffer {
  throw new Bug('not written yet');
}
