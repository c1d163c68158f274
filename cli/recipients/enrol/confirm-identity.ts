import { CofferError } from '../../../core/errors.ts';
import { parseIdentity } from '../../../core/keys/key-texts.ts';
import { checkPin } from '../../../core/keys/pins.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { canAsk } from '../../input/prompt.ts';
import { askToPin, pin } from '../../workspace/pinning.ts';
import type { Workspace } from '../../workspace/workspace.ts';

/**
 * Has a person's word that this identity is that recipient's: `given` is what its owner said, else the person is asked at the
 * terminal; from then on it is pinned. Throws PIN_DIFFERS, PIN_NEEDS_IDENTITY, RECIPIENT_NOT_CONFIRMED.
 */
export async function confirmIdentity(
  workspace: Workspace,
  recipient: Recipient,
  given: string | undefined,
): Promise<void> {
  const state = checkPin(workspace.pins, recipient);
  if (given !== undefined) {
    if (!parseIdentity(given.trim()).equals(recipient.identity)) throw differs(recipient);
    if (state !== 'pinned') await pin(workspace, recipient);
  } else if (state !== 'pinned') {
    if (!canAsk()) throw needsIdentity(recipient);
    await askToPin(workspace, recipient, state);
  }
}

function differs({ name, file }: Recipient): CofferError {
  return new CofferError('PIN_DIFFERS', `the identity of ${name} is not the one that you gave; nothing was changed`, {
    advice: 'Ask its owner again; if yours is right, somebody put another in its place.',
    data: { recipient: name, file },
    exit: 1,
  });
}

function needsIdentity({ name }: Recipient): CofferError {
  return new CofferError('PIN_NEEDS_IDENTITY', 'without a terminal there is nobody to compare the identity', {
    advice: `Run it again with --identity TEXT, the identity of ${name} from its owner.`,
    data: { recipient: name },
    exit: 2,
  });
}
