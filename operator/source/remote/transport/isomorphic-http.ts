import type { Service } from './transport.ts';

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

export function respond(
  url: string,
  method: string,
  service: Service,
  body: AsyncIterableIterator<Uint8Array>,
): GitHttpResponse {
  const type = `application/x-${service}-${method === 'GET' ? 'advertisement' : 'result'}`;
  return { url, method, statusCode: 200, statusMessage: 'OK', headers: { 'content-type': type }, body };
}

export async function gather(body: Uint8Array[] | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
