import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../../core/files/atomic.ts';
import { editRecipient } from '../../../core/keys/edit-recipient.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { keyIdNamed } from '../../input/key-id.ts';
import type { Workspace } from '../../workspace/workspace.ts';

/** What of a recipient's keys is in the wrong hands. */
export interface Stolen {
  /** Ids of those that are to be revoked: none of them is yet. */
  kids: readonly string[];
  /** Whether the recipient is to have another key: everybody seals to one of these, or would if it was not revoked. */
  isFollowed: boolean;
}

/**
 * Whoever took a store of keys has its retired ones too, so without a name all of them are stolen.
 *
 * @param named ids, or beginnings of them. @throws CofferError KEY_ID_UNKNOWN, KEY_ID_AMBIGUOUS
 */
export function stolenKeys({ keys }: Recipient, named: readonly string[] | undefined): Stolen {
  const ids = keys.map(({ kid }) => kid);
  const stolen = new Set(named === undefined ? ids : named.map((text) => keyIdNamed(text, ids)));
  const [newest] = keys;
  const isNewestStolen = newest !== undefined && newest.status !== 'retired' && stolen.has(newest.kid);
  return {
    kids: keys.filter(({ kid, status }) => stolen.has(kid) && status !== 'revoked').map(({ kid }) => kid),
    isFollowed: named === undefined || isNewestStolen,
  };
}

/** Revoked keys still open: nobody seals to them. */
export function withRevoked(recipient: Recipient, kids: readonly string[]): Recipient {
  const keys = recipient.keys.map((key) => (kids.includes(key.kid) ? { ...key, status: 'revoked' as const } : key));
  return { ...recipient, keys };
}

/** The paths that were written, from the root. */
export async function revokeKeys(
  { root }: Workspace,
  recipient: Recipient,
  kids: readonly string[],
): Promise<string[]> {
  if (kids.length === 0) return [];
  const path = join(root, recipient.file);
  await writeFileAtomically(path, editRecipient(await readFile(path), withRevoked(recipient, kids)));
  return [recipient.file];
}
