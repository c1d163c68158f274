import type { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { type ConnectionOptions, getCACertificates } from 'node:tls';
import type { Client, ClientConfig, QueryResultRow } from 'pg';
import { Bug, CofferError } from '../../../../core/errors.ts';
import type { DatabaseAddress } from './connection-url.ts';
import { type Refusal, refusalOf } from './refusal.ts';

/** Milliseconds: from the first packet to the greeting, and for each statement. */
const TIMEOUT = 15_000;

export interface ConnectionSettings extends DatabaseAddress {
  /** PEM certificates beside the system's. */
  caFile?: string;
  /** Only by SCRAM: a login that the server would have allowed with any password proves nothing. */
  mustProve?: boolean;
  /** Milliseconds; absent: 15 s. */
  timeout?: number;
}

/** An open connection: one statement at a time. */
export interface Connection {
  /** Throws CofferError ROTATOR_…, with the server's code and never its text, which repeats what was sent. */
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
}

/**
 * Connects, calls `use`, and closes whatever happens. Names in the session are those of `pg_catalog`: whoever owns a database could
 * otherwise have this role call functions of theirs (CVE-2018-1058).
 *
 * @throws CofferError ROTATOR_UNREACHABLE, ROTATOR_LOGIN_REFUSED, ROTATOR_UNPROVEN, and what `refusalOf` makes of other answers
 */
export async function withConnection<Result>(
  settings: ConnectionSettings,
  signal: AbortSignal,
  use: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { default: pg } = await import('pg');
  const socket = new Socket();
  const ssl = settings.isEncrypted ? await tlsOptions(settings.caFile) : false;
  const watch: LoginWatch = { isProven: false };
  const client = new pg.Client(clientConfig(settings, ssl, socket));
  // What ends a connection between statements is told by the next one.
  client.on('error', () => undefined);
  watchLogin(client, settings, watch, socket);
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  const told = async <Value>(work: Promise<Value>): Promise<Value> => {
    try {
      return await work;
    } catch (error) {
      signal.throwIfAborted();
      throw watch.refused ?? refusalOf(error, settings);
    }
  };
  try {
    signal.throwIfAborted();
    await told(client.connect());
    if (settings.mustProve === true && !watch.isProven) throw unproven(settings);
    const query = async <Row extends QueryResultRow>(text: string, values: unknown[] = []) =>
      (await told(client.query<Row>(text, values))).rows;
    await query(`SELECT pg_catalog.set_config('search_path', '', false)`);
    const result = await use({ query });
    await endSession(client, socket, settings);
    return result;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/**
 * Until the session is over: a backend closes its socket last, and one that is still there a moment later would be taken for somebody
 * who uses the credential. A server that does not get there is left.
 */
async function endSession(client: Client, socket: Socket, { timeout = TIMEOUT }: ConnectionSettings): Promise<void> {
  const late = setTimeout(() => socket.destroy(), timeout);
  try {
    await client.end();
  } finally {
    clearTimeout(late);
  }
}

/** Everything is said, so that nothing comes from PG… variables or ~/.pgpass. */
function clientConfig(
  { host, port, database, user, password, timeout = TIMEOUT }: ConnectionSettings,
  ssl: ConnectionOptions | false,
  socket: Socket,
): ClientConfig {
  return {
    ...{ host, port, database, user, ssl, password: () => password, stream: () => socket },
    ...{ application_name: 'coffer', client_encoding: 'UTF8' },
    ...{ connectionTimeoutMillis: timeout, query_timeout: timeout, statement_timeout: timeout, lock_timeout: timeout },
  };
}

async function tlsOptions(caFile: string | undefined): Promise<ConnectionOptions> {
  if (caFile === undefined) return { rejectUnauthorized: true };
  try {
    return { rejectUnauthorized: true, ca: [...getCACertificates('default'), await readFile(caFile, 'utf8')] };
  } catch (cause) {
    throw new CofferError('ROTATOR_FILE', `The CA file ${caFile} cannot be read.`, {
      advice: 'Check `caFile` of the rotator: PEM certificates, which the operator may read.',
      data: { path: caFile },
      loop: 'retry',
      cause,
    });
  }
}

interface LoginWatch {
  /** The server knew the password's verifier, and we the password. */
  isProven: boolean;
  refused?: CofferError;
}

/** By the messages of the protocol, which the library shows to nobody else, and before it answers them. */
function watchLogin(client: Client, settings: ConnectionSettings, watch: LoginWatch, socket: Socket): void {
  if (!('connection' in client)) throw new Bug('pg has another shape');
  const messages = client.connection as EventEmitter;
  messages.on('authenticationSASLFinal', () => {
    watch.isProven = true;
  });
  // A password in the clear is for a server that is who it should be, and never that of a user that we just made.
  messages.on('authenticationCleartextPassword', () => {
    if (settings.isEncrypted && settings.mustProve !== true) return;
    watch.refused = unproven(settings);
    messages.removeAllListeners('authenticationCleartextPassword');
    socket.destroy();
  });
}

function unproven({ user }: Refusal): CofferError {
  return new CofferError(
    'ROTATOR_UNPROVEN',
    `The server let ${user} in without SCRAM, or asked for the password in the clear: that proves nothing about a password.`,
    {
      advice: 'Have pg_hba.conf ask for scram-sha-256 where the operator comes from, as where the application does.',
      loop: 'retry',
    },
  );
}
