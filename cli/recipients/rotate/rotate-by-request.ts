import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CofferError } from '../../../core/errors.ts';
import { writeFileAtomically } from '../../../core/files/atomic.ts';
import { editRecipient } from '../../../core/keys/edit-recipient.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import { rotateRequest } from '../../../core/requests/request.ts';
import { timestamp } from '../../../core/timestamp.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { putRequest } from '../requests.ts';

export interface Asked {
  /** The id of the request; undefined: nobody can be asked. */
  request: string | undefined;
  /** The key that is revoked from now on. */
  revoked: string | undefined;
  /** Paths that were written, from the root. */
  files: string[];
}

/**
 * Asks the operator of a cluster for a new key, by a request. With `revoke` the active key is revoked at once: nobody seals to the
 * recipient until the new key is there.
 *
 * @throws CofferError ROTATE_NEEDS_IDENTITY for who has no operator and is not to be revoked
 */
export async function rotateByRequest(
  workspace: Workspace,
  recipient: Recipient,
  { revoke, reason }: { revoke: boolean; reason?: string | undefined },
): Promise<Asked> {
  const { name, type } = recipient;
  const newest = recipient.keys[0];
  if (type !== 'cluster' && !revoke) {
    throw new CofferError('ROTATE_NEEDS_IDENTITY', `nobody but the owner of ${name} can make it a new key`, {
      advice: `Run it where the identity of ${name} is (--key-dir), or with --revoke if its key was stolen.`,
      data: { recipient: name, file: recipient.file },
    });
  }
  if (newest === undefined) throw withoutKey(recipient);
  const files: string[] = [];
  let request: string | undefined;
  if (type === 'cluster') {
    const wish = { recipient: name, key: newest.kid, revoke, created: timestamp(new Date()) };
    const wanted = rotateRequest(reason === undefined ? wish : { ...wish, reason });
    request = wanted.id;
    const asksForLess = (there: object) => revoke && 'revoke' in there && there.revoke === false;
    files.push(...(await putRequest(workspace, wanted, asksForLess)));
  }
  const active = revoke ? activeKey(recipient) : undefined;
  if (active !== undefined) files.push(await revokeKey(workspace, recipient, active.kid));
  return { request, revoked: active?.kid, files };
}

async function revokeKey({ root }: Workspace, recipient: Recipient, kid: string): Promise<string> {
  const path = join(root, recipient.file);
  const keys = recipient.keys.map((key) => (key.kid === kid ? { ...key, status: 'revoked' as const } : key));
  await writeFileAtomically(path, editRecipient(await readFile(path), { ...recipient, keys }));
  return recipient.file;
}

function withoutKey({ name, file }: Recipient): CofferError {
  return new CofferError('RECIPIENT_NO_ACTIVE_KEY', `${name} has no key at all`, {
    advice: `Restore its file from git, or enrol it: coffer recipients enroll ${name}`,
    data: { recipient: name, file },
  });
}
