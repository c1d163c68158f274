import { CofferError } from '../../errors.ts';
import { isRequestPath, readRequest } from '../../requests/request.ts';
import { type Finding, findingOf } from '../finding.ts';

/** A request that no operator could read would wait for ever. */
export function requestFindings(bytes: Uint8Array, path: string): Finding[] {
  if (!isRequestPath(path)) return [];
  try {
    readRequest(bytes, path);
    return [];
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    return [findingOf(error, path)];
  }
}
