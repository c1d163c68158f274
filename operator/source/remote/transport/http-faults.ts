import type { Fault } from '../faults.ts';

export function faultOfStatus(status: number): Fault {
  if (status === 401 || status === 403) return 'SOURCE_UNAUTHORIZED';
  if (status === 404 || status === 410) return 'SOURCE_MISSING';
  if (status === 407) return 'SOURCE_PROXY';
  if (status === 429) return 'SOURCE_BUSY';
  if (status >= 300 && status < 400) return 'SOURCE_REDIRECTED';
  return 'SOURCE_UNAVAILABLE';
}

/** Whatever a server says, it is asked again within the hour. */
const LONGEST_PAUSE = 60 * 60 * 1000;
const DELAY = /^\d{1,9}$/;

/**
 * `Retry-After` (RFC 9110, section 10.2.3: seconds, or a date) of an answer that says "not now", in milliseconds; `undefined`
 * where it says nothing that can be read.
 */
export function retryAfter(status: number, header: string | string[] | undefined, now: number): number | undefined {
  if ((status !== 429 && status !== 503) || typeof header !== 'string') return undefined;
  const pause = DELAY.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(pause) ? undefined : Math.min(Math.max(pause, 0), LONGEST_PAUSE);
}

/** The codes of OpenSSL's verification (X509_V_ERR_…) and of Node's own check of the name. */
const CERTIFICATE = /CERT|SIGNATURE|ERR_TLS|UNABLE_TO_|SELF_SIGNED|ISSUER/;
/** The server ended the handshake: what it disliked can only be what it was shown, or not (RFC 8446, section 6.2). */
const ALERT = /^ERR_SSL_.*ALERT/;
const SILENCE = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** What an error of a connection means; `undefined`: it is none. */
export function faultOfConnection(error: unknown): { fault: Fault; detail: string | undefined } | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : undefined;
  // undici gives a tunnel that the proxy refused no code of its own.
  const refusal = /^Proxy response \((\d+)\)|^Proxy Authentication Required \((407)\)/.exec(error.message);
  if (refusal !== null) return { fault: 'SOURCE_PROXY', detail: `HTTP ${refusal[1] ?? refusal[2]}` };
  if (code === undefined) return undefined;
  return { fault: faultOfCode(code), detail: code };
}

function faultOfCode(code: string): Fault {
  if (SILENCE.has(code)) return 'SOURCE_SILENT';
  if (/^UND_ERR_PRX_/.test(code)) return 'SOURCE_PROXY';
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'SOURCE_PROTOCOL';
  if (ALERT.test(code)) return 'SOURCE_CLIENT_CERTIFICATE';
  return CERTIFICATE.test(code) ? 'SOURCE_CERTIFICATE' : 'SOURCE_UNREACHABLE';
}
