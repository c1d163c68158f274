import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { CofferError } from '../../../../core/errors.ts';
import { type CredentialFiles, readAuthorization } from '../credentials.ts';
import { type Fault, type SourceFault, sourceFault } from '../faults.ts';
import { type Dispatchers, openDispatchers } from './dispatchers.ts';
import { faultOfConnection, faultOfStatus, retryAfter } from './http-faults.ts';
import { readTlsFiles, type TlsFiles } from './tls-files.ts';
import type { Exchange, Service, Transport } from './transport.ts';

export interface HttpTransportOptions {
  /** https://, or http:// where that is allowed; without credentials and without a final slash. */
  url: string;
  files: CredentialFiles & TlsFiles;
  proxy?: string | undefined;
  /** Milliseconds in which something must come. */
  idle: number;
}

const REDIRECTS = 5;
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

/**
 * git's smart HTTP protocol (gitprotocol-http). Redirects are followed as git does it: only for the first request, whose new
 * place then holds for the others; never from https to http. Credentials go to the configured origin alone. Credentials,
 * authorities and certificates are read at every exchange; connections are kept while they stay the same.
 */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  #connections: { key: string; dispatchers: Dispatchers } | undefined;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
  }

  async open(service: Service, signal: AbortSignal): Promise<Exchange> {
    const { url, files } = this.#options;
    const authorization = await readAuthorization(files);
    const dispatchers = await this.#refresh();
    const conversation = new Conversation(url, authorization, dispatchers);
    const { place, body } = await conversation.discover(service, signal);
    return {
      isStateless: true,
      advertisement: () => conversation.read(body, signal),
      ask: async (request, asking) => {
        return conversation.read(await conversation.ask(place, service, request, asking), asking);
      },
      end: () => discard(body),
    };
  }

  close(): void {
    if (this.#connections !== undefined) destroy(this.#connections.dispatchers);
    this.#connections = undefined;
  }

  async #refresh(): Promise<Dispatchers> {
    const { files, proxy, idle } = this.#options;
    const tls = await readTlsFiles(files);
    const key = JSON.stringify(tls);
    if (this.#connections?.key === key) return this.#connections.dispatchers;
    this.close();
    const dispatchers = await openDispatchers({ ...tls, proxy, idle });
    this.#connections = { key, dispatchers };
    return dispatchers;
  }
}

function destroy({ home, away }: Dispatchers): void {
  for (const dispatcher of [home, away]) {
    // What was under way ends with an error of its own, which whoever waits for it gets.
    dispatcher.destroy().catch(() => undefined);
  }
}

type Body = Dispatcher.ResponseData['body'];

/** An unread body is an error to undici; nobody is left to hear of it. */
function discard(body: Body): void {
  body.on('error', () => undefined).destroy();
}

/** The requests of one exchange. */
class Conversation {
  readonly #url: string;
  readonly #home: string;
  readonly #authorization: string | undefined;
  readonly #dispatchers: Dispatchers;

  constructor(url: string, authorization: string | undefined, dispatchers: Dispatchers) {
    this.#url = url;
    this.#home = new URL(url).origin;
    this.#authorization = authorization;
    this.#dispatchers = dispatchers;
  }

  /** `place`: the repository's URL, after redirects. */
  async discover(service: Service, signal: AbortSignal): Promise<{ place: string; body: Body }> {
    const suffix = `/info/refs?service=${service}`;
    let url = new URL(this.#url + suffix);
    for (let redirects = 0; ; redirects++) {
      const { statusCode, headers, body } = await this.#send(url, { method: 'GET' }, signal);
      if (!REDIRECT_STATUSES.has(statusCode)) {
        this.#assertDone(statusCode, headers, body, `application/x-${service}-advertisement`);
        return { place: url.href.slice(0, -suffix.length), body };
      }
      discard(body);
      const next = URL.parse(String(headers.location), url);
      const isRefused =
        redirects === REDIRECTS || next === null || (url.protocol === 'https:' && next.protocol !== 'https:');
      if (isRefused || !next.href.endsWith(suffix)) throw this.#fault('SOURCE_REDIRECTED', next?.origin);
      url = next;
    }
  }

  async ask(place: string, service: Service, body: Uint8Array, signal: AbortSignal): Promise<Body> {
    const types = { 'content-type': `application/x-${service}-request`, accept: `application/x-${service}-result` };
    const request = { method: 'POST', body, headers: types } as const;
    const response = await this.#send(new URL(`${place}/${service}`), request, signal);
    this.#assertDone(response.statusCode, response.headers, response.body, `application/x-${service}-result`);
    return response.body;
  }

  /** The body's errors as ours. */
  async *read(body: Body, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) yield chunk;
    } catch (error) {
      throw this.#connectionFault(error, signal);
    }
  }

  async #send(
    url: URL,
    request: { method: 'GET' | 'POST'; body?: Uint8Array; headers?: Record<string, string> },
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { request: send } = await import('undici');
    const isHome = url.origin === this.#home;
    const authorization = isHome && this.#authorization !== undefined ? { authorization: this.#authorization } : {};
    try {
      return await send(url, {
        ...request,
        // Servers know clients of git by this name, and some answer only those.
        headers: { 'user-agent': 'git/coffer', ...request.headers, ...authorization },
        dispatcher: isHome ? this.#dispatchers.home : this.#dispatchers.away,
        signal,
      });
    } catch (error) {
      throw this.#connectionFault(error, signal);
    }
  }

  #assertDone(status: number, headers: IncomingHttpHeaders, body: Body, type: string): void {
    if (status === 200 && headers['content-type'] === type) return;
    discard(body);
    if (status === 200) throw this.#fault('SOURCE_PROTOCOL');
    throw sourceFault(faultOfStatus(status), {
      address: this.#url,
      detail: `HTTP ${status}`,
      retryAfter: retryAfter(status, headers['retry-after'], Date.now()),
    });
  }

  #connectionFault(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    if (error instanceof CofferError) return error;
    const found = faultOfConnection(error);
    return found === undefined ? error : this.#fault(found.fault, found.detail, error);
  }

  #fault(fault: Fault, detail?: string, cause?: unknown): SourceFault {
    return sourceFault(fault, { address: this.#url, detail, cause });
  }
}
