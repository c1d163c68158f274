import { getCACertificates } from 'node:tls';
import type { buildConnector, Dispatcher } from 'undici';
import { CofferError } from '../../../../core/errors.ts';

export interface ConnectionSettings {
  /** PEM certificates to trust beside the system's. */
  ca?: string | undefined;
  /** PEM: what this operator shows to the configured server, and to no other. */
  client?: { cert: string; key: string } | undefined;
  /** http:// or https:// URL, or `none`; absent: as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say. */
  proxy?: string | undefined;
  /** Milliseconds in which something must come. */
  idle: number;
}

/** Connections to the configured origin, and to others that it redirects to: those never see the client certificate. */
export interface Dispatchers {
  home: Dispatcher;
  away: Dispatcher;
}

/** Throws `SOURCE_CLIENT_CERTIFICATE_UNREADABLE`, `SOURCE_PROXY_INVALID`. */
export async function openDispatchers(settings: ConnectionSettings): Promise<Dispatchers> {
  return { home: await open(settings), away: await open({ ...settings, client: undefined }) };
}

async function open({ ca, client, proxy, idle }: ConnectionSettings): Promise<Dispatcher> {
  const { Agent, buildConnector: makeConnector, EnvHttpProxyAgent, ProxyAgent } = await import('undici');
  const authorities = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  // Of HTTP/2 nothing is gained for one request after the other.
  const connect = { ...authorities, ...client, timeout: idle, allowH2: false };
  const connector = makeConnector(connect);
  const options = {
    headersTimeout: idle,
    bodyTimeout: idle,
    allowH2: false,
    connect: ((target, done) => {
      connector(target, (...result: Parameters<typeof done>) => {
        const [, socket] = result;
        // Else undici takes the end of the connection for the reason of it, and not the alert of TLS before that.
        socket?.once('error', () => socket.destroy());
        done(...result);
      });
    }) satisfies buildConnector.connector,
  };
  // The proxy is another host: it is shown no certificate.
  const tunnel = { requestTls: connect, proxyTls: { ...authorities, timeout: idle } };
  if (proxy === 'none') return new Agent(options);
  try {
    return proxy === undefined
      ? new EnvHttpProxyAgent({ ...options, ...tunnel })
      : new ProxyAgent({ ...options, ...tunnel, uri: proxy });
  } catch (cause) {
    throw proxyInvalid('cannot be read', cause);
  }
}

/** Looks at `proxy` of the configuration before anything connects. Throws `SOURCE_PROXY_INVALID`. */
export function assertProxy(proxy: string | undefined): void {
  if (proxy === undefined || proxy === 'none') return;
  const url = URL.parse(proxy);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw proxyInvalid('is no http:// or https:// URL');
  }
  if (url.username !== '' || url.password !== '') throw proxyInvalid('carries credentials');
}

/** The URL itself may carry a password: it is not repeated. */
function proxyInvalid(what: string, cause?: unknown): CofferError {
  return new CofferError('SOURCE_PROXY_INVALID', `the proxy of a git source ${what}`, {
    advice: 'Give http://HOST:PORT or `none`; where it needs a password, HTTPS_PROXY in the operator’s environment.',
    exit: 2,
    loop: 'stop',
    cause,
  });
}
