import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { CofferError, type ErrorData } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

/** Short forms of the types that Kubernetes knows. */
const SHORT: ReadonlyMap<string, string> = new Map(
  ['tls', 'dockerconfigjson', 'dockercfg', 'basic-auth', 'ssh-auth'].map((type) => [type, `kubernetes.io/${type}`]),
);

/** `tls` → `kubernetes.io/tls`; other types as they are. */
export function fullType(type: string): string {
  return SHORT.get(type) ?? type;
}

type Entries = ReadonlyMap<string, Uint8Array>;

/**
 * Checks entries against what their type promises, as far as those that are given can tell: a certificate and its key
 * are compared only when both are there. Returns warnings; throws SECRET_TYPE.
 */
export function checkSecretType(type: string, entries: Entries, place: ErrorData = {}): string[] {
  switch (type) {
    case 'kubernetes.io/tls':
      return checkTls(entries, place);
    case 'kubernetes.io/dockerconfigjson':
      checkDockerConfig(
        entries.get('.dockerconfigjson'),
        place,
        (config) => isObject(config) && isObject(config.auths),
      );
      return [];
    case 'kubernetes.io/dockercfg':
      checkDockerConfig(entries.get('.dockercfg'), place, isObject);
      return [];
    default:
      return [];
  }
}

/** The entries that a type cannot do without; for a manifest that is made at once. Throws SECRET_TYPE. */
export function requireEntries(type: string, entries: Entries, place: ErrorData = {}): void {
  const required = REQUIRED.get(type) ?? [];
  const missing = required.filter((entry) => !entries.has(entry));
  if (missing.length === 0) return;
  throw refuse(place, missing[0], `a secret of type ${type} needs ${missing.join(' and ')}`, 'Add what is missing.');
}

const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
]);

function checkTls(entries: Entries, place: ErrorData): string[] {
  const certificateBytes = entries.get('tls.crt');
  const keyBytes = entries.get('tls.key');
  const certificate = certificateBytes === undefined ? undefined : readCertificate(certificateBytes, place);
  const key = keyBytes === undefined ? undefined : readKey(keyBytes, place);
  if (certificate === undefined) return [];
  if (key !== undefined && !certificate.checkPrivateKey(key)) {
    throw refuse(
      place,
      'tls.key',
      'the certificate in tls.crt is not for the key in tls.key',
      "Put the server's own certificate first in tls.crt, and check that both belong together.",
    );
  }
  const until = certificate.validToDate;
  return until.getTime() < Date.now() ? [`the certificate in tls.crt ended on ${until.toISOString()}`] : [];
}

function readCertificate(bytes: Uint8Array, place: ErrorData): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (error) {
    // OpenSSL's text may quote the input, so it goes no further.
    if (!(error instanceof Error)) throw error;
    throw refuse(place, 'tls.crt', 'tls.crt is not a certificate', 'Give a PEM file that begins with the certificate.');
  }
}

function readKey(bytes: Uint8Array, place: ErrorData): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), format: 'pem' });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw refuse(place, 'tls.key', 'tls.key is not a private key', 'Give the key as PEM, without a passphrase.');
  }
}

function checkDockerConfig(bytes: Uint8Array | undefined, place: ErrorData, fits: (value: unknown) => boolean): void {
  if (bytes === undefined) return;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // JSON.parse quotes what it could not read.
    if (!(error instanceof Error)) throw error;
    value = undefined;
  }
  if (fits(value)) return;
  throw refuse(
    place,
    '.dockerconfigjson',
    'the docker configuration is not JSON of the shape {"auths": {REGISTRY: …}}',
    'Give the file ~/.docker/config.json of a machine that is logged in.',
  );
}

function refuse(place: ErrorData, entry: string | undefined, message: string, advice: string): CofferError {
  return new CofferError('SECRET_TYPE', message, {
    advice,
    data: { ...place, ...(entry === undefined ? {} : { entry }) },
  });
}
