import { CofferError } from '../../core/errors.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { checkPin, readPinsFile, writePin } from '../../core/keys/pins.ts';
import { activeKey, type Recipient } from '../../core/keys/recipient.ts';
import { canAsk, confirm } from '../input/prompt.ts';
import { confirmRepository } from './known-clone.ts';
import { rememberKey } from './known-keys.ts';
import type { Workspace } from './workspace.ts';

/** Pins `recipient` in the file and in this workspace; the active key of a new identity is taken for the newest. */
export async function pin(workspace: Workspace, recipient: Recipient): Promise<void> {
  await confirmId(workspace);
  const before = checkPin(workspace.pins, recipient);
  await writePin(workspace.pinsFile, recipient.name, identityText(recipient.identity));
  workspace.pins = await readPinsFile(workspace.pinsFile);
  if (before !== 'pinned') await rememberKey(workspace, recipient);
}

/**
 * Pins are looked up by the repository's id, which anybody who can push can change: an id that is new to this clone has
 * to be confirmed. The pins of COFFER_PINS count for any id. Throws REPOSITORY_ID_CHANGED.
 */
export async function confirmId({ root, config }: Workspace): Promise<void> {
  if (process.env.COFFER_PINS !== undefined) return;
  await confirmRepository(root, config.repository);
}

/** Asks about each identity that is not pinned yet. Without a terminal nobody is asked, and `sealingKeys` refuses. */
export async function confirmPins(workspace: Workspace, names: readonly string[]): Promise<void> {
  if (!canAsk()) return;
  for (const name of names) {
    const recipient = workspace.keyring.recipients.get(name);
    if (recipient === undefined) continue;
    const state = checkPin(workspace.pins, recipient);
    if (state !== 'pinned') await askToPin(workspace, recipient, state);
  }
}

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
