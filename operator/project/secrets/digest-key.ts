import { createHash, randomBytes } from 'node:crypto';
import { decodeBase64Bytes } from '../../../core/crypto/base64-bytes.ts';
import { CofferError } from '../../../core/errors.ts';
import type { KubeClient } from '../../kubernetes/client.ts';
import { KubernetesError } from '../../kubernetes/kubernetes-error.ts';
import { RESOURCES } from '../../kubernetes/resource.ts';
import { secretBody } from '../../kubernetes/secret-body.ts';
import type { SecretObject } from './secret-object.ts';

/** Of the operator's namespace. */
const DIGEST_KEY_SECRET = 'coffer-digest-key';
const ENTRY = 'key';
const LENGTH = 32;

/**
 * Keys the digests that stand on Secrets and on pod templates: whoever reads those and guesses a value cannot try the guess
 * (docs/threat-model.md). It opens nothing.
 */
export interface DigestKey {
  bytes: Buffer;
  /** Tells keys apart and tells nothing of the key. */
  id: string;
}

/**
 * Reads the key, or makes it where there is none. Who starts at the same time gets the same one. Throws CofferError
 * `SECRET_DIGEST_KEY_DAMAGED`, KubernetesError.
 */
export async function openDigestKey(client: KubeClient): Promise<DigestKey> {
  const found = await readKey(client);
  if (found !== undefined) return found;
  const bytes = randomBytes(LENGTH);
  const metadata = { namespace: client.namespace, name: DIGEST_KEY_SECRET };
  const body = secretBody({ metadata, type: 'Opaque' }, new Map([[ENTRY, bytes]]));
  try {
    await client.create(RESOURCES.secrets, body, { namespace: client.namespace });
    return keyOf(bytes);
  } catch (error) {
    if (!(error instanceof KubernetesError && error.code === 'KUBERNETES_CONFLICT')) throw error;
    const winner = await readKey(client);
    if (winner === undefined) throw error;
    return winner;
  } finally {
    body.fill(0);
  }
}

async function readKey(client: KubeClient): Promise<DigestKey | undefined> {
  const name = { namespace: client.namespace, name: DIGEST_KEY_SECRET };
  const secret = await client.get<SecretObject>(RESOURCES.secrets, name);
  if (secret === undefined) return undefined;
  const bytes = decodeBase64Bytes(Buffer.from(secret.data?.[ENTRY] ?? ''));
  if (bytes.length === LENGTH) return keyOf(bytes);
  throw new CofferError(
    'SECRET_DIGEST_KEY_DAMAGED',
    `The Secret ${DIGEST_KEY_SECRET} does not hold a key of 32 bytes.`,
    {
      advice: `Delete it (kubectl -n ${name.namespace} delete secret ${name.name}): the operator makes another and marks every Secret again.`,
      data: name,
      loop: 'stop',
    },
  );
}

function keyOf(bytes: Buffer): DigestKey {
  const id = createHash('sha256').update('coffer/digest-key-id\0').update(bytes).digest('base64url').slice(0, 16);
  return { bytes, id };
}
