/** Keys and manifests for tests: real cryptography, made from fixed seeds. */
import { createHash } from 'node:crypto';
import { publicKeyFromSeed } from '../../core/crypto/x-wing.ts';
import type { ManifestFile } from '../../core/format/manifest/manifest.ts';
import { readManifestFile } from '../../core/format/manifest/read-manifest.ts';
import type { OpeningKey, SealingKey } from '../../core/format/sealed/stanza.ts';
import { keyId } from '../../core/keys/key-id.ts';

const made = new Map<string, SealingKey & OpeningKey>();

/** Always the same pair for a recipient (and generation); `sodiumReady()` must have been awaited. */
export function testKey(recipient: string, generation = 1): SealingKey & OpeningKey {
  const label = `${recipient}/${generation}`;
  const known = made.get(label);
  if (known !== undefined) return known;
  const seed = createHash('sha256').update(label).digest();
  const publicKey = publicKeyFromSeed(seed);
  const key = { recipient, kid: keyId(publicKey), publicKey, seed };
  made.set(label, key);
  return key;
}

/** Keys for every recipient that a manifest lists. */
export function testKeys({ recipients }: { recipients: readonly string[] }): SealingKey[] {
  return recipients.map((recipient) => testKey(recipient));
}

export function readText(text: string, file = 'secret.yaml'): ManifestFile {
  return readManifestFile(Buffer.from(text), file);
}
