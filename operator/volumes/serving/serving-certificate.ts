import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { CofferError } from '../../../core/errors.ts';
import { SERVING_CONFIG_MAP } from '../../../core/requests/published.ts';
import { splitSecret, wipeData } from '../../keys/secret-data.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';
import { RESOURCES } from '../../kubernetes/resource.ts';
import { secretBody } from '../../kubernetes/secret-body.ts';
import type { KeyedCertificate } from './certificate.ts';
import { renew, type ServingKeys } from './renewal.ts';

/** In the operator's namespace: a Secret with the authority and the server's certificate, each with its key. */
const SECRET = 'coffer-serving-cert';

/** Milliseconds. */
const LOOK_EVERY = 60 * 60 * 1000;
const FIRST_AGAIN = 5000;
/** How often a write is tried again that another replica was ahead of. */
const ATTEMPTS = 5;

export interface ServingCertificateParts {
  client: KubeClient;
  /** DNS names and IP addresses; clients check for the first. */
  names: readonly string[];
  now(): Date;
  /** The certificate to serve with: at once, and again after each renewal. Its key is wiped when this returns. */
  use(server: KeyedCertificate): void;
  failed(error: CofferError): void;
}

/**
 * Brings the certificate that is kept in the cluster up to date, publishes its authority, and has it used. One that is damaged is
 * made anew, and told. Throws KubernetesError.
 */
export async function serveWithCertificate(parts: ServingCertificateParts): Promise<void> {
  const keys = await currentKeys(parts);
  try {
    await publish(parts, keys);
    parts.use(keys.server);
  } finally {
    wipe(keys);
  }
}

/**
 * Renews until the signal. What fails is told and tried again: soon where there is none to serve with yet (`isServed`), else at leisure,
 * for renewal begins a month before it must be done.
 */
export async function keepRenewing(
  parts: ServingCertificateParts,
  signal: AbortSignal,
  isServed: boolean,
): Promise<void> {
  let pause = isServed ? LOOK_EVERY : FIRST_AGAIN;
  for (;;) {
    await wait(pause, undefined, { signal, ref: false }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (signal.aborted) return;
    try {
      await serveWithCertificate(parts);
      pause = LOOK_EVERY;
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      parts.failed(error);
    }
  }
}

async function currentKeys({ client, names, now, failed }: ServingCertificateParts): Promise<ServingKeys> {
  for (let attempt = 1; ; attempt += 1) {
    const stored = await load(client, failed);
    const keys = await renew(stored?.keys, names, now());
    if (stored?.keys === keys) return keys;
    try {
      await store(client, keys, stored?.resourceVersion);
      return keys;
    } catch (error) {
      wipe(keys);
      const isBehind = error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT';
      if (!isBehind || attempt === ATTEMPTS) throw error;
    } finally {
      for (const former of buffersOf(stored?.keys)) if (!buffersOf(keys).includes(former)) former.fill(0);
    }
  }
}

interface Stored {
  /** undefined: damaged. */
  keys: ServingKeys | undefined;
  resourceVersion?: string;
}

async function load(client: KubeClient, failed: ServingCertificateParts['failed']): Promise<Stored | undefined> {
  const json = await client.getBytes(RESOURCES.secrets, { namespace: client.namespace, name: SECRET });
  if (json === undefined) return undefined;
  const { object, data } = splitSecret(json);
  json.fill(0);
  const { resourceVersion } = object.metadata;
  const stored = resourceVersion === undefined ? {} : { resourceVersion };
  try {
    return { ...stored, keys: parse(data) };
  } catch (error) {
    wipeData(data);
    failed(damaged(client.namespace, error));
    return { ...stored, keys: undefined };
  }
}

/** Throws where any of it is not what `store` wrote. */
function parse(data: ReadonlyMap<string, Buffer>): ServingKeys {
  const authorities = certificatesIn(data.get('ca.crt')?.toString() ?? '');
  const [certificate = ''] = certificatesIn(data.get('tls.crt')?.toString() ?? '');
  const [authorityKey, key] = [data.get('ca.key'), data.get('tls.key')];
  if (authorityKey === undefined || key === undefined) throw new TypeError('a key is missing');
  for (const [of, its] of [
    [authorities[0] ?? '', authorityKey],
    [certificate, key],
  ] as const) {
    if (!new X509Certificate(of).checkPrivateKey(createPrivateKey(its))) throw new TypeError('a key of something else');
  }
  return { authorities, authorityKey, server: { certificate, key } };
}

async function store(client: KubeClient, keys: ServingKeys, resourceVersion: string | undefined): Promise<void> {
  const name = { namespace: client.namespace, name: SECRET };
  const data = new Map([
    ['ca.crt', Buffer.from(keys.authorities.join(''))],
    ['ca.key', keys.authorityKey],
    ['tls.crt', Buffer.from(keys.server.certificate)],
    ['tls.key', keys.server.key],
  ]);
  const metadata = { ...name, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  const body = secretBody({ metadata, type: 'Opaque' }, data);
  try {
    if (resourceVersion === undefined) await client.create(RESOURCES.secrets, body, { namespace: name.namespace });
    else await client.patch(RESOURCES.secrets, name, body, { type: 'merge' });
  } finally {
    body.fill(0);
  }
}

async function publish({ client, names }: ServingCertificateParts, { authorities }: ServingKeys): Promise<void> {
  const name = { namespace: client.namespace, name: SERVING_CONFIG_MAP };
  const data = { 'ca.crt': authorities.join(''), serverName: names[0] ?? '' };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: name, data };
  await client.apply(RESOURCES.configMaps, name, configMap);
}

function certificatesIn(pem: string): string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n/g);
  if (found === null) throw new TypeError('no certificate');
  return found;
}

function buffersOf(keys: ServingKeys | undefined): Buffer[] {
  return keys === undefined ? [] : [keys.authorityKey, keys.server.key];
}

function wipe(keys: ServingKeys): void {
  for (const key of buffersOf(keys)) key.fill(0);
}

function damaged(namespace: string, cause: unknown): CofferError {
  return new CofferError(
    'VOLUME_CERTIFICATE_DAMAGED',
    `The Secret ${namespace}/${SECRET} was damaged; another authority and certificate were made.`,
    { advice: 'Nothing: node plugins learn of it within two minutes. Find out who changed it.', loop: 'retry', cause },
  );
}
