import type { CofferError } from '../../../core/errors.ts';
import { joinRequest } from '../../../core/requests/request.ts';
import { fetchFulfilment } from '../../published/fetch-fulfilment.ts';
import { openKeysIfAny } from '../../workspace/open-keys.ts';
import { recipientOf, type Workspace } from '../../workspace/workspace.ts';
import { type Added, addLike } from './add-like.ts';
import { confirmIdentity } from './confirm-identity.ts';

/** The flags that `recipients add` and `recipients replace` share. */
export interface AddFlags {
  collect: boolean;
  identity?: string | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  namespace: string;
  'from-file'?: string | undefined;
  'key-dir'?: string | undefined;
}

/**
 * Adds a recipient like another, once a person has confirmed it, with the keys that are at hand and with what the other's operator
 * made. `refused` has what that operator could not open: path → why.
 */
export async function addAsAsked(
  workspace: Workspace,
  { name, like }: { name: string; like: string },
  flags: AddFlags,
  broken: (error: CofferError) => void,
): Promise<{ added: Added; refused: ReadonlyMap<string, string> }> {
  const recipient = recipientOf(workspace, name);
  await confirmIdentity(workspace, recipient, flags.identity);
  const file = flags['from-file'];
  // The request's name follows from what it asks for, not from when.
  const request = joinRequest({ recipient: name, identity: recipient.identity, like, created: '' });
  const fulfilment = flags.collect ? await fetchFulfilment(request, file === undefined ? flags : { file }) : undefined;
  const keys = await openKeysIfAny(workspace.keyring, flags);
  try {
    const added = await addLike(workspace, { name, like, opener: keys?.opener, fulfilment, broken });
    return { added, refused: fulfilment?.refused ?? new Map() };
  } finally {
    keys?.close();
  }
}
