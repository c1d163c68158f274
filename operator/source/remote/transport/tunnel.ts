import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Socket } from 'node:net';
import { sourceFault } from '../faults.ts';
import { within } from './patience.ts';

export interface TunnelOptions {
  /** http:// or https:// URL without credentials. */
  proxy: string;
  host: string;
  port: number;
  /** Of the source, for errors. */
  address: string;
  /** Milliseconds in which something must come. */
  idle: number;
}

/** A connection through a proxy (CONNECT of RFC 9110, section 9.3.6). Throws `SOURCE_PROXY`, `SOURCE_SILENT`. */
export async function openTunnel(
  { proxy, host, port, address, idle }: TunnelOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const { protocol, hostname, port: proxyPort } = new URL(proxy);
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const place = { hostname: hostname.replace(/^\[|\]$/g, ''), ...(proxyPort === '' ? {} : { port: proxyPort }) };
  const asking = { ...place, method: 'CONNECT', path: target, headers: { host: target }, agent: false } as const;
  const request = protocol === 'https:' ? requestSecure(asking) : requestPlain(asking);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  request.once('connect', ({ statusCode = 0 }, socket: Socket, head) => {
    if (statusCode < 200 || statusCode > 299) {
      socket.destroy();
      return reject(sourceFault('SOURCE_PROXY', { address, detail: `HTTP ${statusCode}` }));
    }
    // What the host said already.
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  request.on('error', (cause: NodeJS.ErrnoException) => {
    reject(sourceFault('SOURCE_PROXY', { address, detail: cause.code, cause }));
  });
  request.end();
  try {
    return await within(promise, { address, idle, signal });
  } catch (error) {
    request.destroy();
    throw error;
  }
}
