import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { getCACertificates } from 'node:tls';
import { sourceFault } from './faults.ts';

/** What isomorphic-git asks of its HTTP client. */
export interface GitHttpRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array[] | AsyncIterableIterator<Uint8Array>;
}

export interface GitHttpResponse {
  url: string;
  method: string;
  statusCode: number;
  statusMessage: string;
  headers: Record<string, string>;
  body: AsyncIterableIterator<Uint8Array>;
}

export interface HttpClientOptions {
  /** Of the repository: names the origin that gets the credentials. */
  url: string;
  /** The value of `Authorization`. */
  authorization?: string;
  /** PEM certificates to trust beside the system's. */
  ca?: string;
}

/** Of one answer, in bytes. isomorphic-git holds a pack in memory. */
const LARGEST_ANSWER = 512 * 1024 * 1024;
const REDIRECTS = 5;

/**
 * The HTTP client that isomorphic-git fetches through. Answers are read whole before it sees them, so that a connection that
 * breaks is an error here and never a short pack there. Redirects are followed as git does it: only for the first request,
 * whose new place then holds for the others; never from https to http; and credentials go to the configured origin alone.
 */
export class HttpClient {
  readonly #url: string;
  readonly #authorization: string | undefined;
  readonly #agents: { http: HttpAgent; https: HttpsAgent };
  /** Where the first request was redirected to. */
  #moved: string | undefined;

  constructor(options: HttpClientOptions) {
    this.#url = options.url;
    this.#authorization = options.authorization;
    const ca = options.ca === undefined ? {} : { ca: [...getCACertificates('default'), options.ca] };
    this.#agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true, ...ca }) };
  }

  /** What isomorphic-git takes as `http`, for one fetch. */
  plugin(signal: AbortSignal): { request(request: GitHttpRequest): Promise<GitHttpResponse> } {
    return { request: (request) => this.#request(request, signal) };
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #request(request: GitHttpRequest, signal: AbortSignal): Promise<GitHttpResponse> {
    const method = request.method ?? 'GET';
    const body = request.body === undefined ? undefined : await gather(request.body);
    const suffix = request.url.slice(this.#url.length);
    if (method === 'GET') this.#moved = undefined;
    let url = new URL((this.#moved ?? this.#url) + suffix);
    for (let redirects = 0; ; redirects++) {
      const response = await this.#send(url, method, request.headers ?? {}, body, signal);
      const location = isRedirect(response) ? response.headers.location : undefined;
      if (location === undefined) return this.#answer(url, method, response, signal);
      response.resume();
      const next = URL.parse(location, url);
      const refused =
        method !== 'GET' ||
        redirects === REDIRECTS ||
        next === null ||
        (url.protocol === 'https:' && next.protocol !== 'https:');
      if (refused || !next.href.endsWith(suffix)) {
        throw this.#fault('SOURCE_REDIRECTED', next === null ? undefined : next.origin);
      }
      this.#moved = next.href.slice(0, -suffix.length);
      url = next;
    }
  }

  #send(
    url: URL,
    method: string,
    headers: Record<string, string>,
    body: Buffer | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const isHome = url.origin === new URL(this.#url).origin;
    const authorization = isHome && this.#authorization !== undefined ? { authorization: this.#authorization } : {};
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const options = {
      method,
      signal,
      headers: { 'user-agent': 'git/coffer', ...headers, ...length, ...authorization },
    };
    return new Promise((resolve, reject) => {
      const outgoing =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent: this.#agents.https })
          : httpRequest(url, { ...options, agent: this.#agents.http });
      outgoing.once('response', resolve);
      outgoing.once('error', (error) => reject(this.#networkFault(error, signal)));
      outgoing.end(body);
    });
  }

  async #answer(url: URL, method: string, response: IncomingMessage, signal: AbortSignal): Promise<GitHttpResponse> {
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      response.resume();
      throw this.#fault(faultOfStatus(status), `HTTP ${status}`);
    }
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > LARGEST_ANSWER) throw this.#fault('SOURCE_TOO_LARGE', `more than ${LARGEST_ANSWER} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#networkFault(error, signal);
    }
    const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    return {
      url: url.href,
      method,
      statusCode: status,
      statusMessage: response.statusMessage ?? '',
      headers: Object.fromEntries(headers),
      body: iterate(chunks),
    };
  }

  #networkFault(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) return error;
    return this.#fault(isCertificateCode(code) ? 'SOURCE_CERTIFICATE' : 'SOURCE_UNREACHABLE', code, error);
  }

  #fault(fault: Parameters<typeof sourceFault>[0], detail: string | undefined, cause?: unknown): Error {
    return sourceFault(fault, { address: this.#url, ...(detail === undefined ? {} : { detail }), cause });
  }
}

function isRedirect(response: IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(response.statusCode ?? 0);
}

function faultOfStatus(status: number): Parameters<typeof sourceFault>[0] {
  if (status === 401 || status === 403) return 'SOURCE_UNAUTHORIZED';
  if (status === 404 || status === 410) return 'SOURCE_MISSING';
  if (status >= 300 && status < 400) return 'SOURCE_REDIRECTED';
  return 'SOURCE_UNAVAILABLE';
}

/** The codes of OpenSSL's verification (X509_V_ERR_…) and of Node's own check of the name. */
function isCertificateCode(code: string): boolean {
  return /CERT|SIGNATURE|ERR_TLS|UNABLE_TO_|SELF_SIGNED|ISSUER/.test(code);
}

async function gather(body: Uint8Array[] | AsyncIterableIterator<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

async function* iterate(chunks: Buffer[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
