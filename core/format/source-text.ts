import { Bug } from '../errors.ts';

/** Bytes as text, strictly: UTF-8, no BOM, NUL or oversize (docs/format.md, "Files and strings"). Throws CofferError. */
export function sourceText(_bytes: Uint8Array, _file: string): string {
  throw new Bug('not written yet');
}
