import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { CofferError } from '../../core/errors.ts';
import type { WebhooksSettings } from '../config/settings.ts';
import { addressOf, listen, stopListening } from '../process/listening.ts';
import type { Log } from '../process/log.ts';
import { Admission } from './admission.ts';
import { followPair, readPair } from './certificate.ts';
import { Refusals } from './refusals.ts';
import { readSecret } from './secret-file.ts';
import { type Claim, type Forge, isSigned, readClaim } from './signature.ts';

/** A source whose forge tells of pushes. */
export interface HookedSource {
  id: string;
  from: Forge;
  secretFile: string;
}

export interface WebhooksOptions {
  sources: readonly HookedSource[];
  /** Looks at this source soon; called as often as a forge asks. */
  wake(source: string): void;
  /** What became of a request: for the metrics. */
  counted(result: 'woke' | 'refused' | 'limited'): void;
  log: Log;
  /** Absent: the wall clock. */
  now?: () => Date;
  /** Milliseconds that a whole request may take; absent: 10 s. */
  patience?: number;
}

export interface Webhooks {
  /** `http(s)://HOST:PORT` as it came out. */
  address: string;
  close(): Promise<void>;
}

/** The one path, whatever the source: the secret tells them apart, and nobody learns which there are. */
const PATH = '/webhooks';
/**
 * Bytes. GitHub sends no more than 25 MB (docs.github.com, "Webhook events and payloads"), and pushes of many files have more
 * than the 1 MiB that would look like enough. Nothing of a body is kept: it runs through the HMAC, so that only time is spent.
 */
const MOST_BODY = 25 * 1024 * 1024;
/** What forges can be set to send; the signature is over the bytes either way. */
const TYPES: readonly (string | undefined)[] = ['application/json', 'application/x-www-form-urlencoded'];
/** Milliseconds: forges give up after ten seconds, too. */
const PATIENCE = 10_000;
const MOST_CONNECTIONS = 64;

/** A refusal: what the sender may know of it. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Listens for what forges send after a push. A request can do nothing but wake the sources whose secret it proves: what it says is
 * not read. Throws CofferError `SERVE_ADDRESS`, `WEBHOOK_CERTIFICATE`.
 */
export async function openWebhooks(
  { listen: address, tls }: WebhooksSettings,
  options: WebhooksOptions,
): Promise<Webhooks> {
  const hooks = new Hooks(options);
  await hooks.tryUnreadable();
  const answer = (request: IncomingMessage, response: ServerResponse) => void hooks.answer(request, response);
  const setting = 'serve.webhooks.listen';
  const { patience = PATIENCE } = options;
  const times = { requestTimeout: patience, headersTimeout: patience / 2, connectionsCheckingInterval: patience / 10 };
  const failed = (error: unknown) => options.log.thrown(error);
  if (tls === undefined) {
    const server = createServer(times, answer);
    server.maxConnections = MOST_CONNECTIONS;
    await listen(server, address, setting, failed);
    return { address: addressOf(server, 'http'), close: () => stopListening(server) };
  }
  const pair = await readPair(tls);
  const server = createTlsServer({ ...times, ...pair, handshakeTimeout: patience }, answer);
  server.maxConnections = MOST_CONNECTIONS;
  await listen(server, address, setting, failed);
  const stopFollowing = followPair(server, tls, pair, options.log);
  return {
    address: addressOf(server, 'https'),
    close: () => {
      stopFollowing();
      return stopListening(server);
    },
  };
}

class Hooks {
  readonly #options: WebhooksOptions;
  readonly #admission = new Admission();
  readonly #refusals: Refusals;
  /** Files of secrets that could not be read when they were last needed. */
  readonly #unreadable = new Set<string>();

  constructor(options: WebhooksOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.log);
  }

  /** Says at the start what would else be said at the first delivery only. */
  async tryUnreadable(): Promise<void> {
    for (const { secretFile } of this.#options.sources) await this.#secret(secretFile);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { wake, counted, log } = this.#options;
    try {
      for (const source of await this.#proved(request)) wake(source);
      counted('woke');
      send(response, 202, 'looking\n');
    } catch (error) {
      // The peer left, or was cut off, before it had said all.
      if (!(error instanceof Refused) && !request.complete) return;
      if (!(error instanceof Refused)) log.thrown(error);
      const refusal = error instanceof Refused ? error : new Refused(500, 'failed; the log says more');
      counted(refusal.status === 429 ? 'limited' : 'refused');
      this.#refusals.add(request.socket.remoteAddress ?? '', refusal.message);
      // Of what is refused the rest is not read.
      send(response, refusal.status, `${refusal.message}\n`, { connection: 'close' });
    }
  }

  /** Ids of the sources, at least one. Throws Refused. */
  async #proved(request: IncomingMessage): Promise<string[]> {
    const { headers, socket } = request;
    refuseByShape(request);
    const length = bodyLength(request);
    const asked = Map.groupBy(
      this.#options.sources.filter(({ from }) => isSigned(from, headers)),
      ({ from, secretFile }) => `${from} ${secretFile}`,
    );
    const unproved = () => new Refused(401, 'not signed with the secret of a source');
    if (asked.size === 0) throw unproved();
    if (!this.#admission.admits(socket.remoteAddress ?? '', length * asked.size))
      throw new Refused(429, 'too many requests');

    const claims: { ids: string[]; claim: Claim }[] = [];
    const now = this.#options.now?.() ?? new Date();
    for (const sources of asked.values()) {
      const [first] = sources;
      if (first === undefined) continue;
      const { from, secretFile } = first;
      const secret = await this.#secret(secretFile);
      const claim = secret === undefined ? undefined : readClaim(from, headers, secret, now);
      if (claim !== undefined) claims.push({ ids: sources.map(({ id }) => id), claim });
    }
    if (claims.length === 0) throw unproved();
    for await (const piece of request as AsyncIterable<Buffer>) for (const { claim } of claims) claim.add(piece);
    // Each is asked, so that the time does not tell which of them fits.
    const proved = claims.filter(({ claim }) => claim.isTrue()).flatMap(({ ids }) => ids);
    if (proved.length === 0) throw unproved();
    return proved;
  }

  /** Absent where it cannot be read, which is said once until it can. */
  async #secret(file: string): Promise<string | undefined> {
    try {
      const secret = await readSecret(file);
      this.#unreadable.delete(file);
      return secret;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      if (!this.#unreadable.has(file)) this.#options.log.failure(error);
      this.#unreadable.add(file);
      return undefined;
    }
  }
}

/** Throws Refused for what no forge sends. */
function refuseByShape({ url = '', method, headers }: IncomingMessage): void {
  if (url !== PATH) throw new Refused(404, `known is POST ${PATH}`);
  if (method !== 'POST') throw new Refused(405, `known is POST ${PATH}`);
  const [type] = (headers['content-type'] ?? '').split(';', 1);
  if (!TYPES.includes(type?.trim().toLowerCase())) throw new Refused(415, `known are ${TYPES.join(', ')}`);
}

/** Forges say beforehand how long it is: what does not is not worth reading. Node sees to it that no more comes. */
function bodyLength({ headers }: IncomingMessage): number {
  const text = headers['content-length'];
  if (text === undefined) throw new Refused(411, 'Content-Length is missing');
  const length = Number(text);
  if (!(length <= MOST_BODY)) throw new Refused(413, `more than ${MOST_BODY} bytes`);
  return length;
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'POST' } : {}),
    ...(status === 429 ? { 'retry-after': '10' } : {}),
    ...headers,
  });
  response.end(body);
}
