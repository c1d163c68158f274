import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CofferError } from '../../../core/errors.ts';
import { pathParts } from '../../../core/git/trees/path.ts';

/** Where a repository is on a host that is reached by ssh. */
export interface SshPlace {
  user: string;
  /** A name or an address, without brackets. */
  host: string;
  port: number;
  /** As the git program there takes it: absolute, relative to the user's home, or `~user/…`. */
  path: string;
}

type Location =
  | { kind: 'local'; text: string }
  | { kind: 'http'; text: string }
  | { kind: 'ssh'; text: string; ssh: SshPlace };

/** `text`: an absolute path, a URL without a final slash, or `user@host:path`; without credentials. */
export type Address = Location & {
  /** The folder that holds manifests, without `.` and outer slashes; `''` is the root. */
  path: string;
};

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

/** git-clone(1), "GIT URLS": a colon before the first slash, and no `://`; two colons would name a program. */
const SCP_LIKE = /^(?:([^@:/[\]]+)@)?(\[[^\]@/]+\]|[^@:/[\]]+):([^:].*)$/s;

function parseUrl(url: string, allowHttp: boolean): Location {
  if (!url.includes('://')) {
    if (!/^[^/]+:/.test(url)) return { kind: 'local', text: resolve(url) };
    const [, user, host, path] = SCP_LIKE.exec(url) ?? [];
    if (host === undefined || path === undefined || /^[^/]*@[^/]*:/.test(path)) {
      throw invalid('cannot be read as USER@HOST:PATH', 'Give USER@HOST:PATH or an ssh:// URL, without a password.');
    }
    return { kind: 'ssh', text: url, ssh: sshPlace(user, host, '', path) };
  }
  const parsed = URL.parse(url);
  if (parsed === null) throw invalid('cannot be read as a URL', 'Give a path, or an https:// or ssh:// URL.');
  const { protocol } = parsed;
  if (parsed.password !== '' || (parsed.username !== '' && protocol !== 'ssh:')) {
    throw invalid('carries credentials', 'Put them into files, and name these in `passwordFile` or `bearerFile`.');
  }
  if (protocol === 'file:') return { kind: 'local', text: resolve(fileURLToPath(parsed)) };
  if (parsed.search !== '' || parsed.hash !== '') throw invalid('has a query or fragment', 'Give only the repository.');
  const text = parsed.href.replace(/\/+$/, '');
  if (protocol === 'ssh:') return { kind: 'ssh', text, ssh: sshPlaceOf(parsed) };
  if (protocol === 'http:' && !allowHttp) {
    throw invalid('is not encrypted', 'Use https://, or set `allowHttp: true` where the network is trusted.');
  }
  if (protocol === 'https:' || protocol === 'http:') return { kind: 'http', text };
  throw invalid(`has the scheme ${protocol}`, 'Use https://, ssh://, USER@HOST:PATH, file:// or a path.');
}

function sshPlaceOf({ username, hostname, port, pathname }: URL): SshPlace {
  const decode = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw invalid('has a percent sign that encodes nothing', 'Write %25 for a percent sign.');
    }
  };
  const path = decode(pathname);
  return sshPlace(decode(username), hostname, port, path.startsWith('/~') ? path.slice(1) : path);
}

/** What forges call the user of all. */
const DEFAULT_USER = 'git';
const DEFAULT_PORT = 22;
const USER = /^[A-Za-z0-9._][A-Za-z0-9._-]{0,63}$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])$/;

function sshPlace(user: string | undefined, host: string, port: string, path: string): SshPlace {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const hasControls = /[\u0000-\u001f\u007f]/.test(path);
  if (!HOST.test(host)) throw invalid('names no host', 'Give ssh://USER@HOST/PATH or USER@HOST:PATH.');
  if (port === '0') throw invalid('names no port', 'Leave the port out, or give that of the ssh server.');
  if (user !== undefined && user !== '' && !USER.test(user)) {
    throw invalid('has a user name that is none', 'Give USER@HOST:PATH.');
  }
  // What begins with a dash would be an option of the program there.
  if (path.startsWith('-') || path === '/' || path === '' || hasControls) {
    throw invalid('names no repository', 'Give its path on the host behind the host’s name.');
  }
  return {
    user: user === undefined || user === '' ? DEFAULT_USER : user,
    host: host.replace(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORT : Number(port),
    path,
  };
}

/** The URL itself may carry a password: it is not repeated. */
function invalid(what: string, advice: string): CofferError {
  return new CofferError('SOURCE_URL_INVALID', `the url of a git source ${what}`, { advice, exit: 2, loop: 'stop' });
}
