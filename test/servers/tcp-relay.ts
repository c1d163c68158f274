import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { closing } from './listening.ts';

/** What happens to what a server sends, from so many bytes of one connection on. */
export interface Cut {
  after: number;
  /** `freeze`: nothing more comes, and the connection stays. `trickle`: one byte every so many milliseconds. */
  how: 'reset' | 'end' | 'freeze' | { trickle: number };
}

/** Stands between a client and any server and breaks connections as networks do, whatever is spoken over them. */
export class TcpRelay {
  /** For connections that begin from now on; `undefined`: nothing. */
  cut: Cut | undefined;
  /** Bytes that the server sent in all. */
  received = 0;
  /** How many there were in all. */
  connections = 0;
  readonly #server: Server;
  readonly #close: () => Promise<void>;

  static async start(port: number): Promise<TcpRelay> {
    const relay = new TcpRelay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  private constructor(port: number) {
    this.#server = createServer((client) => {
      this.connections++;
      const upstream = connect(port, '127.0.0.1');
      for (const socket of [client, upstream]) {
        socket.on('close', () => {
          client.destroy();
          upstream.destroy();
        });
        // A connection that breaks is what this is for.
        socket.on('error', () => undefined);
      }
      client.pipe(upstream);
      this.#relay(upstream, client, this.cut);
    });
    this.#close = closing(this.#server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await this.#close();
  }

  #relay(from: Socket, to: Socket, cut: Cut | undefined): void {
    let sent = 0;
    const held: Buffer[] = [];
    from.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      const room = cut === undefined ? chunk.length : Math.max(0, cut.after - sent);
      sent += chunk.length;
      // After its end a write would be an error, and take away what is still to be sent.
      if (room > 0) to.write(chunk.subarray(0, room));
      if (cut === undefined || sent < cut.after) return;
      if (cut.how === 'reset') to.resetAndDestroy();
      else if (cut.how === 'end') to.end();
      else if (cut.how !== 'freeze' && held.push(chunk.subarray(room)) === 1) trickle(to, held, cut.how.trickle);
    });
    from.on('end', () => cut === undefined && to.end());
  }
}

/** In the order in which it came, also what comes later. */
function trickle(to: Socket, held: Buffer[], milliseconds: number): void {
  const timer = setInterval(() => {
    const [first] = held;
    if (first === undefined) return;
    to.write(first.subarray(0, 1));
    if (first.length > 1) held[0] = first.subarray(1);
    else if (held.length > 1) held.shift();
    else held[0] = Buffer.alloc(0);
  }, milliseconds);
  to.on('close', () => clearInterval(timer));
}
