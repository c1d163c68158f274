import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CofferError } from '../../core/errors.ts';
import { pathParts } from '../../core/git/path.ts';

export interface Address {
  kind: 'local' | 'http';
  /** An absolute path, or a URL without a final slash. */
  text: string;
  /** The folder that holds manifests, without `.` and outer slashes; `''` is the root. */
  path: string;
}

/** Reads what the configuration says of a git source. Throws `SOURCE_URL_INVALID`, `SOURCE_PATH_INVALID`. */
export function parseAddress(url: string, path: string, allowHttp: boolean): Address {
  const parts = pathParts(path);
  if (parts === undefined) {
    throw new CofferError('SOURCE_PATH_INVALID', `the path ${JSON.stringify(path)} leaves the repository`, {
      advice: 'Give a folder from the root of the repository, such as `clusters/production`.',
      exit: 2,
      loop: 'stop',
    });
  }
  return { ...parseUrl(url, allowHttp), path: parts.join('/') };
}

function parseUrl(url: string, allowHttp: boolean): Pick<Address, 'kind' | 'text'> {
  // `git@host:path` has no `://` either, but a colon before the first slash.
  if (!url.includes('://') && !/^[^/]+:/.test(url)) return { kind: 'local', text: resolve(url) };
  const parsed = URL.parse(url);
  if (parsed === null) throw invalid('cannot be read as a URL', 'Give a path, or an https:// URL.');
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalid('carries credentials', 'Put them into files, and name these in `passwordFile` or `bearerFile`.');
  }
  if (parsed.protocol === 'file:') return { kind: 'local', text: resolve(fileURLToPath(parsed)) };
  if (parsed.protocol === 'http:' && !allowHttp) {
    throw invalid('is not encrypted', 'Use https://, or set `allowHttp: true` where the network is trusted.');
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    throw invalid(`has the scheme ${parsed.protocol}`, 'Use https://, file:// or a path.');
  }
  if (parsed.search !== '' || parsed.hash !== '') throw invalid('has a query or fragment', 'Give only the repository.');
  return { kind: 'http', text: parsed.href.replace(/\/+$/, '') };
}

/** The URL itself may carry a password: it is not repeated. */
function invalid(what: string, advice: string): CofferError {
  return new CofferError('SOURCE_URL_INVALID', `the url of a git source ${what}`, { advice, exit: 2, loop: 'stop' });
}
