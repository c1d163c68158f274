import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createAuthority, createServerCertificate, type KeyedCertificate } from './certificate.ts';

/** Milliseconds. */
const DAY = 24 * 60 * 60 * 1000;
const AUTHORITY_LASTS = 3650 * DAY;
const AUTHORITY_RENEWED_BEFORE = 365 * DAY;
const SERVER_LASTS = 90 * DAY;
const SERVER_RENEWED_BEFORE = 30 * DAY;
/** Clocks of nodes may be behind. */
const BEFORE_NOW = 60 * 60 * 1000;

const AUTHORITY = 'coffer serving authority';

export interface ServingKeys {
  /** What clients trust: the authority that signs, then former ones as long as they last. PEM each. */
  authorities: readonly string[];
  /** Of the first authority; PEM. */
  authorityKey: Buffer;
  server: KeyedCertificate;
}

/**
 * What to serve with now: the same, or with what is due made new. The server's certificate is not made anew together with its
 * authority: until it is due, clients have time to learn of the new one.
 */
export async function renew(
  current: ServingKeys | undefined,
  names: readonly string[],
  now: Date,
): Promise<ServingKeys> {
  const { authorities, authorityKey } = await renewAuthority(current, now);
  const [signing = ''] = authorities;
  const isKept = current !== undefined && isServing(current.server, authorities, names, now);
  if (isKept && authorityKey === current.authorityKey) return current;
  const server = isKept
    ? current.server
    : await createServerCertificate(names, lasting(now, SERVER_LASTS), { certificate: signing, key: authorityKey });
  return { authorities, authorityKey, server };
}

async function renewAuthority(
  current: ServingKeys | undefined,
  now: Date,
): Promise<Pick<ServingKeys, 'authorities' | 'authorityKey'>> {
  const former = current?.authorities.filter((certificate) => remaining(certificate, now) > 0) ?? [];
  const isDue = (certificate: string) => remaining(certificate, now) < AUTHORITY_RENEWED_BEFORE;
  const [signing] = former;
  if (current !== undefined && signing !== undefined && signing === current.authorities[0] && !isDue(signing))
    return { authorities: former, authorityKey: current.authorityKey };
  const { certificate, key } = await createAuthority(AUTHORITY, lasting(now, AUTHORITY_LASTS));
  return { authorities: [certificate, ...former], authorityKey: key };
}

function isServing(server: KeyedCertificate, authorities: readonly string[], names: readonly string[], now: Date) {
  const certificate = new X509Certificate(server.certificate);
  const isIssued = authorities.some((authority) => certificate.verify(new X509Certificate(authority).publicKey));
  const isNamed = names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)));
  return isIssued && isNamed && remaining(server.certificate, now) > SERVER_RENEWED_BEFORE;
}

function remaining(certificate: string, now: Date): number {
  return new X509Certificate(certificate).validToDate.getTime() - now.getTime();
}

function lasting(now: Date, milliseconds: number) {
  return { from: new Date(now.getTime() - BEFORE_NOW), to: new Date(now.getTime() + milliseconds) };
}
