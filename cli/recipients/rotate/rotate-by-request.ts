import { CofferError } from '../../../core/errors.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { type Request, rotateRequest } from '../../../core/requests/request.ts';
import { timestamp } from '../../../core/timestamp.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { putRequest } from '../requests.ts';
import { revokeKeys, type Stolen } from './revoke-keys.ts';

export interface Asked {
  /** The id of the request; undefined: nobody is asked. */
  request: string | undefined;
  /** Paths that were written, from the root. */
  files: string[];
}

/**
 * Asks the operator of a cluster for a new key, by a request, and revokes what was stolen at once: nobody seals to a key that is revoked,
 * so that without an active one nobody seals to the recipient until the new key is there.
 *
 * @param why.stolen undefined: nothing was
 * @throws CofferError ROTATE_NEEDS_IDENTITY for who has no operator and of whom nothing was stolen, RECIPIENT_NO_ACTIVE_KEY
 */
export async function rotateByRequest(
  workspace: Workspace,
  recipient: Recipient,
  { stolen, reason }: { stolen: Stolen | undefined; reason?: string | undefined },
): Promise<Asked> {
  const { name, type, keys } = recipient;
  const [newest] = keys;
  if (type !== 'cluster' && stolen === undefined) {
    throw new CofferError('ROTATE_NEEDS_IDENTITY', `Nobody but the owner of ${name} can make it a new key.`, {
      advice: `Run it where the identity of ${name} is (--key-dir), or with --revoke if its key was stolen.`,
      data: { recipient: name, file: recipient.file },
    });
  }
  if (newest === undefined) throw withoutKey(recipient);
  const files: string[] = [];
  let request: string | undefined;
  if (type === 'cluster' && stolen?.isFollowed !== false) {
    const revoke = stolen !== undefined;
    const wish = { recipient: name, key: newest.kid, revoke, created: timestamp(new Date()) };
    const wanted = rotateRequest(reason === undefined ? wish : { ...wish, reason });
    request = wanted.id;
    const asksForLess = (there: Request) => revoke && there.kind === 'rotate' && !there.revoke;
    files.push(...(await putRequest(workspace, wanted, asksForLess)));
  }
  files.push(...(await revokeKeys(workspace, recipient, stolen?.kids ?? [])));
  return { request, files };
}

function withoutKey({ name, file }: Recipient): CofferError {
  return new CofferError('RECIPIENT_NO_ACTIVE_KEY', `${name} has no key at all`, {
    advice: `Restore its file from git, or enrol it: coffer recipients enroll ${name}`,
    data: { recipient: name, file },
  });
}
