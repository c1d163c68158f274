import { systemRandom } from '../../../core/crypto/random.ts';
import { CofferError } from '../../../core/errors.ts';
import { createGroupKey, createKey } from '../../../core/keys/create.ts';
import { storeSecretKey } from '../../../core/keys/key-directory.ts';
import { withNewKey } from '../../../core/keys/new-key.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { isAhead } from '../../../core/requests/fulfilled.ts';
import { type RotateRequest, requestFile } from '../../../core/requests/request.ts';
import { timestamp } from '../../../core/timestamp.ts';
import { keyDirectory } from '../../workspace/key-directory.ts';
import { rememberKey } from '../../workspace/known-keys.ts';
import { openKeys } from '../../workspace/open-keys.ts';
import { sealingKeysFor } from '../../workspace/sealing-keys.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { requestsIn } from '../requests.ts';
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
 * @throws CofferError RECIPIENT_KEY_ORDER (the clock is behind), ROTATE_REQUEST_AHEAD, KEYS_NONE, FILE_SYSTEM, and of a group's members what `sealingKeysFor` throws
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
  const wish = { name, created: await createdAt(workspace, name), identitySeed, random: systemRandom };
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

/** Later than each theft that a request tells of: only such a key fulfils it, and nobody takes an earlier one into the keyring. */
async function createdAt(workspace: Workspace, name: string): Promise<string> {
  const now = new Date();
  const all = await requestsIn(workspace);
  const stolen = all.filter((one) => one.kind === 'rotate').filter((one) => one.recipient === name && one.revoke);
  const ahead = stolen.find((request) => isAhead(request, now));
  if (ahead !== undefined) throw requestAhead(ahead);
  return timestamp(new Date(Math.max(now.getTime(), ...stolen.map(({ created }) => Date.parse(created) + 1000))));
}

function requestAhead({ id, recipient, key, created }: RotateRequest): CofferError {
  return new CofferError(
    'ROTATE_REQUEST_AHEAD',
    `A request says that ${key} was stolen at ${created}, a time to come.`,
    {
      advice: 'Set the clock right; if it is the request’s time that is wrong, remove the file, and rotate then.',
      data: { recipient, keyId: key, file: requestFile(id) },
    },
  );
}
