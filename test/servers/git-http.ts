import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { killIfThere } from './descendants.ts';
import { closing } from './listening.ts';

export interface GitHttpOptions {
  /** Every repository below it is served. */
  root: string;
  /** 0, the default: any free one. */
  port?: number;
  auth?: { username: string; password: string } | { bearer: string };
  tls?: ServerOptions;
  /** Sees each request first; true: it answered, and git is not asked. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** `git http-backend` (a CGI program) behind a small HTTP server: what a team's git server is to an operator. */
export class GitHttpServer {
  /** Without a final slash; a repository's is `${url}/NAME.git`. */
  readonly url: string;
  readonly #close: () => Promise<void>;
  readonly #backends: Backends;

  private constructor(url: string, close: () => Promise<void>, backends: Backends) {
    this.url = url;
    this.#close = close;
    this.#backends = backends;
  }

  static async start(options: GitHttpOptions): Promise<GitHttpServer> {
    const backends: Backends = new Map();
    const listener: RequestListener = (request, response) => serve(options, request, response, backends);
    const server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
    const close = closing(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    return new GitHttpServer(url, close, backends);
  }

  /** Ends the connections that are open, too, and what git still does for one: afterwards nobody writes into a repository. */
  async close(): Promise<void> {
    await this.#close();
    const backends = [...this.#backends];
    for (const [{ pid }] of backends) if (pid !== undefined) killIfThere(-pid);
    await Promise.all(backends.map(([, closed]) => closed));
  }
}

/** Those that run → when what they write to is closed, by their children too. */
type Backends = Map<ChildProcess, Promise<unknown>>;

function serve(options: GitHttpOptions, request: IncomingMessage, response: ServerResponse, backends: Backends): void {
  if (options.intercept?.(request, response)) return;
  if (!isAllowed(options, request.headers.authorization)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      // A repository of another user (a test as root) is served all the same.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: request.headers['content-length'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'test',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
    // A group of its own: with the programs that it starts.
    detached: true,
  });
  const closed = new Promise<void>((resolve) => backend.once('close', () => resolve()));
  backends.set(
    backend,
    closed.then(() => backends.delete(backend)),
  );
  // Either side may hang up first; the other then ends as well.
  backend.stdin.on('error', () => request.resume());
  backend.on('error', () => response.destroy());
  response.on('close', () => backend.kill());
  request.pipe(backend.stdin);
  relay(backend.stdout, response);
}

function isAllowed({ auth }: GitHttpOptions, given: string | undefined): boolean {
  if (auth === undefined) return true;
  if ('bearer' in auth) return given === `Bearer ${auth.bearer}`;
  return given === `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
}

/** Turns CGI output (header lines, an empty line, the body; RFC 3875 section 6) into a response. */
function relay(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let inBody = false;
  output.on('data', (chunk: Buffer) => {
    // Nobody reads it any more. Paused for that, a program is never seen to close its output.
    if (response.destroyed) return;
    if (inBody) {
      if (!response.write(chunk)) output.pause();
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    inBody = true;
    let status = 200;
    for (const line of head.subarray(0, end).toString('latin1').split('\r\n')) {
      const colon = line.indexOf(':');
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  for (const event of ['drain', 'close']) response.on(event, () => output.resume());
  output.on('end', () => {
    if (!inBody) response.writeHead(500);
    response.end();
  });
}
