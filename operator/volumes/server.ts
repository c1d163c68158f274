import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server as HttpsServer } from 'node:https';
import { CofferError } from '../../core/errors.ts';
import type { Address } from '../config/settings.ts';
import { addressOf, listen as listenOn, stopListening } from '../process/listening.ts';
import type { Refusal } from './protocol.ts';
import type { KeyedCertificate } from './serving/certificate.ts';

/** What is asked: small by nature. */
export interface Asked {
  authorization: string | undefined;
  body: Buffer;
  /** IP address of the peer. */
  from: string;
}

export interface Answer {
  headers?: Record<string, string>;
  /** Absent: 204. */
  body?: readonly Uint8Array[];
  /** Called once, when the body was handed over or never will be. */
  wipe?(): void;
}

export interface ServerOptions {
  listen: Address;
  /** Path → what answers a POST there; refusals are thrown as CofferError. */
  routes: ReadonlyMap<string, (asked: Asked) => Promise<Answer>>;
  refused(error: CofferError): void;
  failed(error: unknown): void;
}

export interface VolumesServer {
  address: string;
  useCertificate(certificate: KeyedCertificate): void;
  close(): Promise<void>;
}

/** Bytes. */
const MOST_BODY = 8 * 1024;
/** Milliseconds. Connections outlast the polls of node plugins, so that each need not shake hands again. */
const TIMES = {
  requestTimeout: 10_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
};
const MOST_CONNECTIONS = 4096;

/** HTTP status of a refusal; of other codes it is 503: come again. */
const STATUSES: Readonly<Record<string, number>> = {
  VOLUME_REQUEST: 400,
  BREAK_GLASS_REASON: 400,
  VOLUME_TOKEN_MISSING: 401,
  VOLUME_TOKEN_REFUSED: 401,
  VOLUME_TOKEN_UNBOUND: 403,
  VOLUME_NAMESPACE: 403,
  VOLUME_NOT_READER: 403,
  BREAK_GLASS_FORBIDDEN: 403,
  SECRET_UNKNOWN: 404,
  MANIFEST_ENTRY_UNKNOWN: 404,
  VOLUME_BUSY: 429,
};

/** Listens with TLS. Throws CofferError `SERVE_ADDRESS`. */
export async function startServer(options: ServerOptions): Promise<VolumesServer> {
  const { listen } = options;
  const server = createServer({ ...TIMES, minVersion: 'TLSv1.3' }, (request, response) => {
    answer(request, response, options).catch(options.failed);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listenOn(server, listen, 'projections.volumes.listen', options.failed);
  return {
    address: addressOf(server, 'https'),
    useCertificate: (one) => use(server, one),
    close: () => stopListening(server),
  };
}

function use(server: HttpsServer, { certificate, key }: KeyedCertificate): void {
  server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' });
}

async function answer(request: IncomingMessage, response: ServerResponse, options: ServerOptions): Promise<void> {
  try {
    send(response, await respond(request, options));
  } catch (error) {
    // The peer left before it had said all.
    if (!(error instanceof CofferError) && !request.complete) return;
    if (!(error instanceof CofferError)) options.failed(error);
    const refusal = error instanceof CofferError ? error : mistake();
    // Who asks too often would fill the log as well.
    if (error instanceof CofferError && error.code !== 'VOLUME_BUSY') options.refused(error);
    const { code, message, advice } = refusal;
    const body: Refusal = { code, message, advice };
    response.writeHead(error instanceof CofferError ? (STATUSES[code] ?? 503) : 500, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      // Of a body that is too large the rest is not read.
      ...(request.complete ? {} : { connection: 'close' }),
    });
    response.end(JSON.stringify(body));
  }
}

async function respond(request: IncomingMessage, { routes }: ServerOptions): Promise<Answer> {
  const route = routes.get(request.url ?? '');
  if (route === undefined || request.method !== 'POST')
    throw new CofferError('VOLUME_REQUEST', `Known are POST ${[...routes.keys()].join(', POST ')}.`, {
      advice: 'See that operator and client are of one release.',
      exit: 2,
    });
  const body = await bodyOf(request);
  return route({
    authorization: request.headers.authorization,
    body,
    from: request.socket.remoteAddress ?? '',
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MOST_BODY)
      throw new CofferError('VOLUME_REQUEST', `The request is larger than ${MOST_BODY} bytes.`, {
        advice: 'Send no more than the fields that are asked for.',
        exit: 2,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { headers = {}, body, wipe }: Answer): void {
  if (wipe !== undefined) response.once('close', wipe);
  if (response.destroyed) {
    wipe?.();
    return;
  }
  if (body === undefined) {
    response.writeHead(204, headers).end();
    return;
  }
  const length = body.reduce((sum, part) => sum + part.length, 0);
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': length,
    'cache-control': 'no-store',
    ...headers,
  });
  for (const part of body) response.write(part);
  response.end();
}

function mistake(): CofferError {
  return new CofferError('VOLUME_FAILED', 'The operator made a mistake; its log says more.', {
    advice: 'Report it, with the lines of its log.',
    loop: 'retry',
  });
}
