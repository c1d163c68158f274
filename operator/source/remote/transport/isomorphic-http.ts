import { Bug } from '../../../../core/errors.ts';
import { ADVERTISEMENT_LIMIT, isServiceLine } from './advertisement.ts';
import { FLUSH, PacketFault, PacketReader, packet } from './pkt-line.ts';
import type { Exchange, Service, Transport } from './transport.ts';

/** What isomorphic-git asks of its HTTP client. */
export interface GitHttpRequest {
  url: string;
  method?: string;
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

export interface GitHttp {
  request(request: GitHttpRequest): Promise<GitHttpResponse>;
}

/**
 * Any transport as isomorphic-git's `http`, for one push (or a fetch that it is to index itself): what it asks for by GET is
 * the server's advertisement, what it posts is the request of the same exchange.
 */
export function asIsomorphicHttp(transport: Transport, service: Service, signal: AbortSignal): GitHttp {
  let exchange: Exchange | undefined;
  return {
    request: async ({ url, method = 'GET', body }) => {
      if (method === 'GET') {
        exchange?.end();
        exchange = await transport.open(service, signal);
        return respond(url, method, service, once(await advertisementOf(exchange, service)));
      }
      if (exchange === undefined) throw new Bug('a request before the advertisement was asked for');
      const answer = await exchange.ask(await gather(body ?? []), signal);
      return respond(url, method, service, endingWith(answer, exchange));
    },
  };
}

export function respond(
  url: string,
  method: string,
  service: Service,
  body: AsyncIterableIterator<Uint8Array>,
): GitHttpResponse {
  const type = `application/x-${service}-${method === 'GET' ? 'advertisement' : 'result'}`;
  return { url, method, statusCode: 200, statusMessage: 'OK', headers: { 'content-type': type }, body };
}

/** In the form of smart HTTP, with the line of the service before it. */
async function advertisementOf(exchange: Exchange, service: Service): Promise<Buffer> {
  const parts = [packet(`# service=${service}\n`), FLUSH];
  const reader = new PacketReader(exchange.advertisement(), ADVERTISEMENT_LIMIT);
  for (let isFirst = true; ; isFirst = false) {
    const found = await reader.next();
    if (found === undefined) throw new PacketFault('the list of refs has no end', true);
    if (found === 'flush') return Buffer.concat([...parts, FLUSH]);
    if (isFirst && isServiceLine(found)) await reader.next();
    else parts.push(packet(found));
  }
}

export async function gather(body: Uint8Array[] | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* endingWith(answer: AsyncIterable<Uint8Array>, exchange: Exchange): AsyncGenerator<Uint8Array> {
  try {
    yield* answer;
  } finally {
    exchange.end();
  }
}
