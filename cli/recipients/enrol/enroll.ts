import { join } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { placeFile } from '../../../core/files/place-file.ts';
import { recipientOfKey } from '../../../core/keys/keyring.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { renderRecipient } from '../../../core/keys/recipient-text.ts';
import { refuseBroken, type Workspace } from '../../workspace/workspace.ts';
import { confirmIdentity } from './confirm-identity.ts';

/**
 * Takes a recipient into the keyring once a person has confirmed it. Returns whether that changed anything: it may be there as
 * it is. Throws RECIPIENT_EXISTS, RECIPIENT_KEY_SHARED, and what `confirmIdentity` throws.
 */
export async function enroll(workspace: Workspace, recipient: Recipient, given: string | undefined): Promise<boolean> {
  const { name, file } = recipient;
  refuseBroken(workspace.keyring, name);
  const there = workspace.keyring.recipients.get(name);
  if (there !== undefined && !isSame(there, recipient)) {
    throw new CofferError('RECIPIENT_EXISTS', `there is another recipient ${name} already; nothing was changed`, {
      advice: `If that cluster is gone for good, call the new one otherwise, and take its place with \`coffer recipients replace ${name} NEW\`.`,
      data: { recipient: name, file },
    });
  }
  for (const { kid } of recipient.keys) {
    const owner = recipientOfKey(workspace.keyring, kid);
    if (owner === undefined || owner.name === name) continue;
    throw new CofferError('RECIPIENT_KEY_SHARED', `the key ${kid} belongs to ${owner.name} already`, {
      advice: 'Find out whether one copied the keys of the other: each cluster needs keys of its own.',
      data: { recipient: name, keyId: kid, file: owner.file },
    });
  }
  await confirmIdentity(workspace, recipient, given);
  if (there !== undefined) return false;
  const path = join(workspace.root, file);
  await placeFile(path, renderRecipient(recipient));
  return true;
}

/** What is in the keyring may be further along: a key more, or one retired. */
function isSame(there: Recipient, announced: Recipient): boolean {
  const known = new Set(there.keys.map(({ kid }) => kid));
  return there.identity.equals(announced.identity) && announced.keys.every(({ kid }) => known.has(kid));
}
