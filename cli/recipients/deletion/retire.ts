import { CofferError } from '../../../core/errors.ts';
import { recipientOfKey } from '../../../core/keys/keyring.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { isRotated } from '../../../core/requests/fulfilled.ts';
import { type Request, retireRequest } from '../../../core/requests/request.ts';
import { timestamp } from '../../../core/timestamp.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { putRequest, requestsIn } from '../requests.ts';
import { findHanging, type Hanging } from './hanging.ts';

export interface Retiring {
  recipient: Recipient;
  hanging: readonly Hanging[];
  /** Ids of open requests that may need the key. */
  requests: readonly string[];
  /** What asks the operator to delete it; undefined: something hangs on it. */
  request: string | undefined;
  /** Paths that were written, from the root. */
  files: string[];
  /** Whether anybody is there to keep the key for. */
  hasRecovery: boolean;
}

/** @throws CofferError RETIRE_UNKNOWN, RETIRE_ACTIVE, RETIRE_NO_OPERATOR, what `openRepository` throws */
export async function retire(workspace: Workspace, kid: string): Promise<Retiring> {
  const recipient = recipientOfKey(workspace.keyring, kid);
  if (recipient === undefined) throw unknown(kid);
  refuseActive(recipient, kid);
  const hanging = await findHanging(workspace, kid);
  const requests = (await requestsIn(workspace)).filter((one) => isNeeding(one, recipient)).map(({ id }) => id);
  const hasRecovery = [...workspace.keyring.recipients.values()].some(({ type }) => type === 'recovery');
  const about = { recipient, hanging, requests, hasRecovery };
  if (hanging.length + requests.length > 0) return { ...about, request: undefined, files: [] };
  if (recipient.type !== 'cluster') throw withoutOperator(recipient, kid);
  const request = retireRequest({ recipient: recipient.name, key: kid, created: timestamp(new Date()) });
  return { ...about, request: request.id, files: await putRequest(workspace, request) };
}

/** What the recipient's operator opens manifests for. */
function isNeeding(request: Request, recipient: Recipient): boolean {
  if (request.kind === 'join') return request.like === recipient.name;
  return request.kind === 'rotate' && request.recipient === recipient.name && !isRotated(request, recipient);
}

function refuseActive({ name, keys, file }: Recipient, kid: string): void {
  if (keys.find((key) => key.kid === kid)?.status !== 'active') return;
  throw new CofferError('RETIRE_ACTIVE', `${kid} is the active key of ${name}`, {
    advice: `Let it get another first: coffer recipients rotate ${name}`,
    data: { recipient: name, keyId: kid, file },
    exit: 1,
  });
}

function unknown(kid: string): CofferError {
  return new CofferError('RETIRE_UNKNOWN', 'no recipient of the keyring has a key of this id', {
    advice: 'Give all 32 digits; `coffer recipients list` shows them.',
    data: /^[0-9a-f]{32}$/.test(kid) ? { keyId: kid } : {},
    exit: 2,
  });
}

function withoutOperator({ name, type }: Recipient, kid: string): CofferError {
  return new CofferError(
    'RETIRE_NO_OPERATOR',
    `nothing hangs on ${kid}, and ${name} is a ${type}, which has no operator`,
    {
      advice: `Its owner removes ${kid}.key from the key directory, or keeps it with a backup.`,
      data: { recipient: name, keyId: kid },
      exit: 1,
    },
  );
}
