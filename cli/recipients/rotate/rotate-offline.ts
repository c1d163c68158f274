import { systemRandom } from '../../../core/crypto/random.ts';
import type { CofferError } from '../../../core/errors.ts';
import { createGroupKey, createKey } from '../../../core/keys/create.ts';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import { withNewKey } from '../../../core/keys/new-key.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { timestamp } from '../../../core/timestamp.ts';
import { keyDirectory } from '../../workspace/key-directory.ts';
import { rememberKey } from '../../workspace/known-keys.ts';
import { openKeys } from '../../workspace/open-keys.ts';
import { sealingKeysFor } from '../../workspace/sealing-keys.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { withRevoked } from './revoke-keys.ts';
import { type RewrappedAll, rewrapAll } from './rewrap-all.ts';

export interface RotatedOffline extends RewrappedAll {
  keyId: string;
  /** Path of the secret key; undefined for a group, whose members have it from its file. */
  secret: string | undefined;
}

/**
 * Makes a recipient a new key where its identity is at hand, and seals to it what the keys at hand open.
 *
 * @param how.identitySeed stays the caller's to wipe
 * @param how.revoked ids of keys that were stolen; the one that was active is retired where it is none of them
 * @throws CofferError RECIPIENT_KEY_ORDER (the clock is behind), KEYS_NONE, FILE_SYSTEM, and of a group's members what `sealingKeysFor` throws
 */
export async function rotateOffline(
  workspace: Workspace,
  recipient: Recipient,
  how: {
    identitySeed: Uint8Array;
    revoked: readonly string[];
    keyDir: string | undefined;
    broken(error: CofferError): void;
  },
): Promise<RotatedOffline> {
  const { identitySeed, revoked, keyDir, broken } = how;
  const { name } = recipient;
  const isGroup = recipient.type === 'group';
  const wish = { name, created: timestamp(new Date()), identitySeed, random: systemRandom };
  const members = isGroup ? await sealingKeysFor(workspace, recipient.members) : [];
  const { key, seed } = isGroup ? createGroupKey({ ...wish, members }) : createKey(wish);
  try {
    const wanted = withNewKey(withRevoked(recipient, revoked), key, { formerStatus: 'retired' });
    const keys = await openKeys(workspace.keyring, { 'key-dir': keyDir });
    try {
      // Stored before it is published, so that somebody can open what is sealed to it.
      const secret = isGroup ? undefined : await storeSecretKey(keyDirectory(keyDir), seed);
      const rewrapped = await rewrapAll(workspace, wanted, keys.opener, broken);
      await rememberKey(workspace, wanted);
      return { ...rewrapped, keyId: key.kid, secret };
    } finally {
      keys.close();
    }
  } finally {
    seed.fill(0);
  }
}
