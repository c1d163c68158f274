import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { BackOff } from '../concurrency/back-off.ts';
import { pause } from '../concurrency/pause.ts';
import { connectionFault } from './connection-fault.ts';
import type { Access, Credentials } from './credentials.ts';
import { exchange, type HttpAnswer, type HttpRequest, stream } from './exchange.ts';
import { retryAfter } from './refusal.ts';

export interface TransportRequest extends Pick<HttpRequest, 'method' | 'body' | 'guard' | 'signal'> {
  /** With its query. */
  path: string;
  headers?: Record<string, string> | undefined;
  /** Whether doing it twice is as good as once: then it is sent again where nobody knows what became of it. */
  idempotent: boolean;
  /** Waits for no connection that others use: those may be held up for as long as the server lets writes wait. */
  isUrgent?: boolean;
}

/** Sockets for requests. A watch has one of its own, or many watches would leave none; and so has what is urgent. */
const CONNECTIONS = 32;
const USER_AGENT = 'coffer-operator';
const ATTEMPTS = 4;
/** Milliseconds. What took longer than this is not tried again here. */
const TIME_TO_TRY = 10_000;
const FIRST_WAIT = 100;
const LONGEST_WAIT = 2000;
const CONNECT_TIMEOUT = 5000;
/** The API server closes idle connections after 3 minutes; load balancers often after one. */
const KEEP_ALIVE = 45_000;

/** Pools of connections to the API server with the operator's credentials, and what is sent again when it fails. */
export class Transport {
  readonly #credentials: Credentials;
  #pools: { tls: string; requests: Dispatcher; watches: Dispatcher } | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Returns whatever the server answers at last. Throws KubernetesError `KUBERNETES_UNREACHABLE`, what the signal says, and what the guard throws. */
  async send(request: TransportRequest): Promise<HttpAnswer> {
    const waits = new BackOff(FIRST_WAIT, LONGEST_WAIT);
    const until = performance.now() + TIME_TO_TRY;
    let isRenewed = false;
    for (let attempt = 1; ; attempt++) {
      const isLast = () => attempt >= ATTEMPTS || performance.now() > until;
      let wait: number;
      try {
        const { requests, watches, outgoing } = await this.#prepare(request);
        const answer = await exchange(request.isUrgent ? watches : requests, outgoing);
        if (answer.status === 401 && !isRenewed) {
          isRenewed = true;
          await this.#credentials.renew();
          continue;
        }
        // 429 is refused before anything is done (RFC 6585); after another 5xx nobody knows.
        const isAgain = answer.status === 429 || (answer.status >= 500 && request.idempotent);
        if (!isAgain || isLast()) return answer;
        wait = Math.max(waits.next(), retryAfter(answer.headers));
        if (wait > LONGEST_WAIT) return answer;
      } catch (error) {
        const fault = connectionFault(error);
        if (fault === undefined) throw error;
        const isAgain = fault.mayPass && (request.idempotent || fault.wasUnsent);
        if (!isAgain || isLast()) throw fault.error;
        wait = waits.next();
      }
      await pause(wait, request.signal);
      request.signal?.throwIfAborted();
    }
  }

  /** Resolves when the server ends its answer. Throws as `send`; nothing is sent again. */
  async follow(
    request: TransportRequest,
    silence: number,
    listener: { opened(): void; data(chunk: Buffer): void },
  ): Promise<HttpAnswer> {
    try {
      const { watches, outgoing } = await this.#prepare(request);
      const answer = await stream(watches, outgoing, silence, listener);
      if (answer.status === 401) await this.#credentials.renew();
      return answer;
    } catch (error) {
      throw connectionFault(error)?.error ?? error;
    }
  }

  async close(): Promise<void> {
    const pools = this.#pools;
    this.#pools = undefined;
    await Promise.all([pools?.requests.destroy(), pools?.watches.destroy()]);
  }

  async #prepare({ method, path, headers, body, guard, signal }: TransportRequest) {
    const access = await this.#credentials.access();
    const { requests, watches } = this.#connections(access);
    const { origin, pathname } = this.#credentials.server;
    // Some servers stand below a path of a gateway.
    const outgoing: HttpRequest = {
      ...{ method, guard, signal, ...(body === undefined ? {} : { body }) },
      origin,
      path: pathname.replace(/\/$/, '') + path,
      headers: { 'user-agent': USER_AGENT, ...headers, ...access.headers },
    };
    return { requests, watches, outgoing };
  }

  /** New ones where certificates changed; the old ones end with their last answers. */
  #connections({ tls }: Access) {
    const fingerprint = JSON.stringify(tls);
    if (this.#pools?.tls === fingerprint) return this.#pools;
    const former = this.#pools;
    const pool = (connections: number | null) => dispatcher(this.#credentials.proxy, tls, connections);
    this.#pools = { tls: fingerprint, requests: pool(CONNECTIONS), watches: pool(null) };
    // A closed dispatcher lets go of itself when the last answer came; it rejects only when closed twice.
    for (const old of [former?.requests, former?.watches]) void old?.close();
    return this.#pools;
  }
}

/** HTTP/1.1, one request at a time on each connection: a long answer holds up no other, and a reset breaks one. */
function dispatcher(proxy: string | undefined, tls: Access['tls'], connections: number | null): Dispatcher {
  const options = { connections, pipelining: 1, allowH2: false, keepAliveTimeout: KEEP_ALIVE };
  const connect = { ...tls, rejectUnauthorized: true, timeout: CONNECT_TIMEOUT };
  if (proxy === undefined) return new Agent({ ...options, connect });
  return new ProxyAgent({ ...options, uri: proxy, requestTls: connect });
}
