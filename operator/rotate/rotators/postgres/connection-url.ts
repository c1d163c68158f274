import { CofferError } from '../../../../core/errors.ts';

/** Where a database is, and who changes its users. */
export interface DatabaseAddress {
  /** A name or an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** False over a Unix socket, and where `sslmode=disable` is written. */
  isEncrypted: boolean;
}

const PARAMETERS = ['host', 'port', 'user', 'password', 'dbname', 'sslmode'];

/**
 * Reads a connection URI (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS) of one host. Stricter than
 * libpq: TLS is verified where it is used, and nothing is taken from the environment. Throws ROTATOR_URL, without the text.
 */
export function readConnectionUrl(text: string): DatabaseAddress {
  const url = URL.parse(text.trim());
  if (url === null) throw wrong('is no URL of one host');
  if (!['postgres:', 'postgresql:'].includes(url.protocol))
    throw wrong('does not begin with postgres:// or postgresql://');
  const given = new Map<string, string>();
  const give = (name: string, value: string) => {
    if (given.has(name)) throw wrong(`says ${name} twice`);
    given.set(name, value);
  };
  for (const [name, value] of url.searchParams) {
    if (!PARAMETERS.includes(name)) throw wrong(`has a parameter that is not one of ${PARAMETERS.join(', ')}`);
    give(name, value);
  }
  for (const [name, value] of [
    ['host', decode(url.hostname).replace(/^\[(.*)\]$/, '$1')],
    ['port', url.port],
    ['user', decode(url.username)],
    ['password', decode(url.password)],
    ['dbname', decode(url.pathname.slice(1))],
  ] as const) {
    if (value !== '') give(name, value);
  }
  const needed = (name: string) => {
    const value = given.get(name);
    if (value === undefined || value === '') throw wrong(`names no ${name}`);
    if (value.includes('\0')) throw wrong(`has a NUL in ${name}`);
    return value;
  };
  const host = needed('host');
  if (!/^(?:\/|[A-Za-z0-9_.:-]+$)/.test(host)) throw wrong('does not name one host');
  return {
    host,
    port: portOf(given.get('port')),
    database: needed('dbname'),
    user: needed('user'),
    password: given.get('password') ?? '',
    isEncrypted: !host.startsWith('/') && isEncrypted(given.get('sslmode')),
  };
}

function portOf(text = '5432'): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw wrong('has no port from 1 to 65535');
  return port;
}

function isEncrypted(mode = 'verify-full'): boolean {
  if (mode === 'disable') return false;
  // The other modes of libpq talk to whoever answers.
  if (mode !== 'verify-full') throw wrong('has an sslmode that is neither verify-full nor disable');
  return true;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) throw wrong('has a % that begins no character');
    throw error;
  }
}

function wrong(how: string): CofferError {
  return new CofferError('ROTATOR_URL', `The connection string ${how}.`, {
    advice: 'Write one line such as postgres://USER:PASSWORD@HOST:5432/DATABASE into the file that `urlFile` names.',
    loop: 'retry',
  });
}
