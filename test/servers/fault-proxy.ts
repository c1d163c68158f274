import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { closing } from './listening.ts';

/** What happens to one request. */
export type Fault =
  /** The connection breaks before the server gets the request. */
  | { kind: 'reset' }
  /** The server does what is asked; the connection breaks before its answer. */
  | { kind: 'lost answer' }
  /** Answered by the proxy; the server does not see it. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: object }
  /** Taken, never answered. */
  | { kind: 'silence' }
  /** The answer begins; no byte of its body comes. */
  | { kind: 'mute' }
  /** Half of the first piece of the body comes, then the connection breaks. */
  | { kind: 'half' }
  /** This line comes before the body. */
  | { kind: 'garbage'; line: string }
  /** Each piece of the body comes so many milliseconds late. */
  | { kind: 'slow'; milliseconds: number };

export interface Passing {
  method: string;
  url: URL;
  isWatch: boolean;
}

/** Stands between a client and the API server of a test's cluster, ends TLS, and does to requests what a network does. */
export class FaultProxy {
  /** What is to happen to each request from now on; `undefined`: nothing. */
  plan: (passing: Passing) => Fault | undefined = () => undefined;
  /** Every request, also those that failed. */
  readonly seen: Passing[] = [];
  readonly #target: string;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #directory: string;
  readonly #close: () => Promise<void>;

  static async start(cluster: Cluster): Promise<FaultProxy> {
    const proxy = new FaultProxy(cluster, await mkdtemp(join(tmpdir(), 'coffer-fault-proxy-')));
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  private constructor(cluster: Cluster, directory: string) {
    this.#target = cluster.server;
    this.#directory = directory;
    this.#agent = new Agent({ ca: readFileSync(cluster.caFile), keepAlive: true });
    const read = (name: string) => readFileSync(join(cluster.directory, name));
    this.#server = createServer({ cert: read('server.crt'), key: read('server.key') }, (incoming, outgoing) => {
      this.#pass(incoming, outgoing);
    });
    this.#close = closing(this.#server);
  }

  /** Path of a copy of a kubeconfig that goes through this proxy. Client certificates do not: use a token. */
  async kubeconfig(path: string): Promise<string> {
    const { port } = this.#server.address() as AddressInfo;
    const text = (await readFile(path, 'utf8')).replaceAll(this.#target, `https://127.0.0.1:${port}`);
    const copy = join(this.#directory, 'kubeconfig');
    await writeFile(copy, text, { mode: 0o600 });
    return copy;
  }

  /** Breaks every connection there is, as a restarted load balancer does. */
  breakAll(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#close();
    await rm(this.#directory, { recursive: true });
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.#target);
    const passing = { method: incoming.method ?? '', url, isWatch: url.searchParams.has('watch') };
    this.seen.push(passing);
    const fault = this.plan(passing);
    if (fault?.kind === 'reset') return void incoming.socket.destroy();
    if (fault?.kind === 'silence') return void incoming.resume();
    if (fault?.kind === 'status') {
      incoming.resume();
      outgoing.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      return void outgoing.end(JSON.stringify(fault.body ?? { kind: 'Status', code: fault.status }));
    }
    const { method, headers } = incoming;
    const upstream = request(url, { method, headers, agent: this.#agent }, (answer) => spoil(answer, outgoing, fault));
    // A server that is down looks from here as it does without a proxy.
    upstream.on('error', () => incoming.socket.destroy());
    outgoing.once('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }
}

function spoil(answer: IncomingMessage, outgoing: ServerResponse, fault: Fault | undefined): void {
  const breakOff = () => outgoing.socket?.destroy();
  answer.on('error', breakOff);
  if (fault?.kind === 'lost answer') return void answer.resume().once('end', breakOff);
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  outgoing.flushHeaders();
  switch (fault?.kind) {
    case undefined:
      return void answer.pipe(outgoing);
    case 'mute':
      return void answer.resume();
    case 'half':
      return void answer.once('data', (piece: Buffer) => {
        outgoing.write(piece.subarray(0, piece.length / 2), breakOff);
      });
    case 'garbage':
      outgoing.write(`${fault.line}\n`);
      return void answer.pipe(outgoing);
    case 'slow':
      answer.on('data', (piece: Buffer) => setTimeout(() => outgoing.write(piece), fault.milliseconds));
      return void answer.once('end', () => setTimeout(() => outgoing.end(), fault.milliseconds));
  }
}
