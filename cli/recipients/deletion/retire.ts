import { Bug, CofferError } from '../../../core/errors.ts';
import type { Keyring } from '../../../core/keys/keyring.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { isRotated } from '../../../core/requests/fulfilled.ts';
import { type Request, retireRequest } from '../../../core/requests/request.ts';
import { timestamp } from '../../../core/timestamp.ts';
import { keyIdNamed } from '../../input/key-id.ts';
import type { Workspace } from '../../workspace/workspace.ts';
import { putRequest, requestsIn } from '../requests.ts';
import { findHanging, type Hanging } from './hanging.ts';

export interface Retiring {
  kid: string;
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

/**
 * @param named the id of a key, or the beginning of it
 * @throws CofferError KEY_ID_UNKNOWN, KEY_ID_AMBIGUOUS, RETIRE_ACTIVE, RETIRE_NO_OPERATOR, what `openRepository` throws
 */
export async function retire(workspace: Workspace, named: string): Promise<Retiring> {
  const { kid, recipient } = keyNamed(workspace.keyring, named);
  refuseActive(recipient, kid);
  const hanging = await findHanging(workspace, kid);
  const requests = (await requestsIn(workspace)).filter((one) => isNeeding(one, recipient)).map(({ id }) => id);
  const hasRecovery = [...workspace.keyring.recipients.values()].some(({ type }) => type === 'recovery');
  const about = { kid, recipient, hanging, requests, hasRecovery };
  if (hanging.length + requests.length > 0) return { ...about, request: undefined, files: [] };
  if (recipient.type !== 'cluster') throw withoutOperator(recipient, kid);
  const request = retireRequest({ recipient: recipient.name, key: kid, created: timestamp(new Date()) });
  return { ...about, request: request.id, files: await putRequest(workspace, request) };
}

function keyNamed({ recipients }: Keyring, named: string): { kid: string; recipient: Recipient } {
  const owners = new Map([...recipients.values()].flatMap((owner) => owner.keys.map(({ kid }) => [kid, owner])));
  const kid = keyIdNamed(named, owners.keys());
  const recipient = owners.get(kid);
  if (recipient === undefined) throw new Bug('a key of the keyring that nobody has');
  return { kid, recipient };
}

/** What the recipient's operator opens manifests for. */
function isNeeding(request: Request, recipient: Recipient): boolean {
  if (request.kind === 'join') return request.like === recipient.name;
  return request.kind === 'rotate' && request.recipient === recipient.name && !isRotated(request, recipient);
}

function refuseActive({ name, keys, file }: Recipient, kid: string): void {
  if (keys.find((key) => key.kid === kid)?.status !== 'active') return;
  throw new CofferError('RETIRE_ACTIVE', `${kid} is the active key of ${name}.`, {
    advice: `Let it get another first: coffer recipients rotate ${name}`,
    data: { recipient: name, keyId: kid, file },
    exit: 1,
  });
}

function withoutOperator({ name, type }: Recipient, kid: string): CofferError {
  return new CofferError(
    'RETIRE_NO_OPERATOR',
    `Nothing hangs on ${kid}, and ${name} is a ${type}, which has no operator.`,
    {
      advice: `Its owner removes ${kid}.key from the key directory, or keeps it with a backup.`,
      data: { recipient: name, keyId: kid },
      exit: 1,
    },
  );
}
