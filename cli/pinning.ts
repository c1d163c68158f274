import { CofferError } from '../core/errors.ts';
import { identityText } from '../core/keys/key-texts.ts';
import { activeKey, type Recipient } from '../core/keys/recipient.ts';
import { confirm } from './prompt.ts';
import { pin, type Workspace } from './workspace.ts';

/**
 * Shows who a recipient says it is, and pins it on a yes. A changed identity is shown beside the pinned one. Throws
 * RECIPIENT_NOT_CONFIRMED on a no.
 */
export async function askToPin(
  workspace: Workspace,
  recipient: Recipient,
  state: 'unknown' | 'changed',
): Promise<void> {
  process.stderr.write(`${describe(workspace, recipient, state).join('\n')}\n`);
  if (!(await confirm(`Trust this as ${recipient.name}, from now on?`))) {
    throw new CofferError('RECIPIENT_NOT_CONFIRMED', `${recipient.name} was not confirmed; nothing was changed`, {
      advice: 'Compare the identity with its owner over another channel, then run it again.',
      data: { recipient: recipient.name, file: recipient.file },
    });
  }
  await pin(workspace, recipient);
}

/** All 32 digits of the key id and the whole identity: what a person compares is never abbreviated. */
function describe(workspace: Workspace, recipient: Recipient, state: 'unknown' | 'changed'): string[] {
  const pinned = workspace.pins.identityOf(recipient.name);
  return [
    state === 'unknown'
      ? `${recipient.name} (${recipient.type}) is new to you in this repository.`
      : `The identity of ${recipient.name} (${recipient.type}) is NOT the one that you pinned. Somebody may have swapped it.`,
    `  identity   ${identityText(recipient.identity)}`,
    ...(state === 'changed' && pinned !== undefined ? [`  pinned     ${pinned}`] : []),
    `  active key ${activeKey(recipient)?.kid ?? 'none'}`,
    `  file       ${recipient.file}`,
    'Compare the identity with its owner over another channel than this repository.',
  ];
}
