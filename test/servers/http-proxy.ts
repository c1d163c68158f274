import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { closing } from './listening.ts';

export interface HttpProxyOptions {
  /** Basic credentials that it asks for. */
  auth?: { username: string; password: string };
  /** Spoken to over TLS. */
  tls?: ServerOptions;
}

/** A forward proxy: tunnels for https (CONNECT, RFC 9110, section 9.3.6), whole URLs for http. */
export class HttpProxy {
  /** What it was asked for: `CONNECT host:port`, `GET http://…`. */
  readonly seen: string[] = [];
  readonly #options: HttpProxyOptions;
  readonly #server: Server;
  readonly #close: () => Promise<void>;
  readonly #upstreams = new Set<Socket>();

  static async start(options: HttpProxyOptions = {}): Promise<HttpProxy> {
    const proxy = new HttpProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(options: HttpProxyOptions) {
    this.#options = options;
    this.#server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
    this.#close = closing(this.#server);
    // Either side may hang up first.
    this.#server.on('connection', (socket: Socket) => socket.on('error', () => socket.destroy()));
    this.#server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) =>
      this.#forward(incoming, outgoing),
    );
    this.#server.on('connect', (incoming: IncomingMessage, socket: Socket) => this.#tunnel(incoming, socket));
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#upstreams) socket.destroy();
    await this.#close();
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.seen.push(`${incoming.method} ${incoming.url}`);
    if (!this.#isAllowed(incoming)) return void outgoing.writeHead(407, { 'proxy-authenticate': 'Basic' }).end();
    const { method, headers } = incoming;
    const upstream = request(new URL(incoming.url ?? ''), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  }

  #tunnel(incoming: IncomingMessage, client: Socket): void {
    this.seen.push(`CONNECT ${incoming.url}`);
    if (!this.#isAllowed(incoming)) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const [host, port] = (incoming.url ?? '').split(':');
    const upstream = connect(Number(port), host ?? '', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    this.#upstreams.add(upstream);
    upstream.on('error', () => upstream.destroy());
    client.on('error', () => client.destroy());
    upstream.on('close', () => {
      this.#upstreams.delete(upstream);
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
  }

  #isAllowed(incoming: IncomingMessage): boolean {
    const { auth } = this.#options;
    if (auth === undefined) return true;
    const expected = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    return incoming.headers['proxy-authorization'] === expected;
  }
}
