import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { addressOf, listen, stopListening } from '../process/listening.ts';

export interface ServeOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  isReady(): boolean;
  /** False: nothing goes on any more, and a new process is better. */
  isAlive(): boolean;
  /** Printed as JSON. */
  status(): object;
  metrics(): Promise<{ type: string; text: string }>;
  /** A file of the audit log by its path in the layout; undefined: there is none. Absent: the log is not shown. */
  audit?(path: string): Promise<Buffer | undefined>;
  /** Somebody says that a source has changed. */
  wake(): void;
  /** A request that failed by a mistake of ours. */
  failed(error: unknown): void;
}

export interface Server {
  /** `http://HOST:PORT` as it came out. */
  address: string;
  close(): Promise<void>;
}

interface Answer {
  code: number;
  type?: string;
  body: string | Buffer;
  allow?: string;
}

type Respond = (options: ServeOptions) => Answer | Promise<Answer>;

/** Milliseconds. How often Node looks for connections that are over their time is 30 s unless told. */
const TIMES = { requestTimeout: 10_000, headersTimeout: 5_000, connectionsCheckingInterval: 2000 };

/** Listens for health, metrics, status and a local wake. Throws CofferError `SERVE_ADDRESS`. */
export async function serve(options: ServeOptions): Promise<Server> {
  const server = createServer(TIMES, (request, response) => {
    request.resume();
    answer(request, options).then(
      (given) => send(response, given),
      (error: unknown) => {
        options.failed(error);
        send(response, { code: 500, body: 'failed; the log says more\n' });
      },
    );
  });
  server.maxConnections = 256;
  await listen(server, options, 'serve.listen', options.failed);
  return { address: addressOf(server, 'http'), close: () => stopListening(server) };
}

async function answer(request: IncomingMessage, options: ServeOptions): Promise<Answer> {
  const path = URL.parse(request.url ?? '/', 'http://operator')?.pathname;
  if (path === undefined) return { code: 400, body: 'that is no path\n' };
  const isLocal = isLoopback(options.host) || path.startsWith(AUDIT);
  if (isFromBrowser(request, isLocal)) return { code: 403, body: 'not from a web page\n' };
  const expected = path === '/wake' ? ['POST'] : ['GET', 'HEAD'];
  const respond = path.startsWith(AUDIT) ? showLog(path, request.socket.remoteAddress) : ROUTES[path];
  if (respond === undefined) return { code: 404, body: `known are ${Object.keys(ROUTES).join(', ')}, ${AUDIT}\n` };
  if (!expected.includes(request.method ?? ''))
    return { code: 405, allow: expected.join(', '), body: 'another method\n' };
  return respond(options);
}

const AUDIT = '/audit/';

/**
 * The log as C2SP tlog-tiles lays it out. Its records name secrets and people, and the status port may be open to whoever scrapes it:
 * so it is for this host alone, which `kubectl port-forward` counts as.
 */
function showLog(path: string, peer = ''): Respond {
  return async ({ audit }) => {
    if (!isLoopback(peer.replace(/^::ffff:/, ''))) return { code: 403, body: 'the log is for this host alone\n' };
    const body = await audit?.(path.slice(AUDIT.length));
    if (body === undefined) return { code: 404, body: 'the log has no such file\n' };
    return {
      code: 200,
      type: path.includes('/tile/') ? 'application/octet-stream' : 'text/plain; charset=utf-8',
      body,
    };
  };
}

const ROUTES: Record<string, Respond | undefined> = {
  __proto__: null as never,
  '/healthz': ({ isAlive }) =>
    isAlive() ? { code: 200, body: 'ok\n' } : { code: 503, body: 'nothing has gone on for ten minutes\n' },
  '/readyz': ({ isReady }) =>
    isReady() ? { code: 200, body: 'ok\n' } : { code: 503, body: 'not every source was fetched and projected yet\n' },
  '/metrics': async ({ metrics }) => {
    const { type, text } = await metrics();
    return { code: 200, type, body: text };
  },
  '/status': ({ status }) => ({ code: 200, type: 'application/json', body: `${JSON.stringify(status(), null, 2)}\n` }),
  '/wake': ({ wake }) => {
    wake();
    return { code: 202, body: 'looking\n' };
  },
};

/**
 * A web page that somebody opens on this host must neither wake the operator nor, by a DNS name that it leads to loopback,
 * read its status: browsers send Origin or Sec-Fetch-Site with what a page asks for, and the page's own name in Host. Where
 * the operator listens for other hosts, they know it by names of their own.
 */
function isFromBrowser({ headers }: IncomingMessage, isLocal: boolean): boolean {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) return true;
  if (!isLocal) return false;
  const host = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return !isLoopback(host);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function send(response: ServerResponse, { code, type = 'text/plain; charset=utf-8', body, allow }: Answer): void {
  response.writeHead(code, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(body);
}
