import { CofferError } from '../../core/errors.ts';
import { activeKey, type Recipient } from '../../core/keys/recipient.ts';
import { appendSealedTo, readSealedTo, type SealedTo, sealedToFile } from '../../core/keys/sealed-to.ts';
import { canAsk, confirm } from '../input/prompt.ts';
import type { Workspace } from './workspace.ts';

/**
 * An active key that is older than the one that this user sealed to before is a question. What is sealed to now is
 * remembered. With COFFER_PINS, on machines that start from nothing, neither: there `coffer check` compares with the
 * history. Throws RECIPIENT_KEY_ROLLED_BACK on a no, and where there is nobody to ask.
 */
export async function confirmKeys(workspace: Workspace, names: readonly string[]): Promise<void> {
  if (process.env.COFFER_PINS !== undefined) return;
  const known = await readSealedTo(fileOf(workspace));
  for (const name of new Set(names)) {
    const recipient = workspace.keyring.recipients.get(name);
    const active = recipient && activeKey(recipient);
    if (recipient === undefined || active === undefined) continue;
    const before = known.get(name);
    if (before?.kid === active.kid) continue;
    if (before !== undefined && active.created < before.created) await askAbout(recipient, active, before);
    await rememberKey(workspace, recipient);
  }
}

/** From now on nothing is sealed to an older key without a question. */
export async function rememberKey(workspace: Workspace, recipient: Recipient): Promise<void> {
  const active = activeKey(recipient);
  if (process.env.COFFER_PINS !== undefined || active === undefined) return;
  try {
    await appendSealedTo(fileOf(workspace), recipient.name, active);
  } catch (error) {
    // A configuration that cannot be written to is no reason not to seal.
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}

async function askAbout(recipient: Recipient, active: SealedTo, before: SealedTo): Promise<void> {
  const { name, type, file } = recipient;
  if (canAsk()) {
    const lines = [
      `The active key of ${name} (${type}) is OLDER than the one that you sealed to before. Somebody who stole it may have`,
      'put it back.',
      `  active key ${active.kid} of ${active.created}`,
      `  before     ${before.kid} of ${before.created}`,
      `  file       ${file}`,
      'Ask its owner over another channel than this repository.',
    ];
    process.stderr.write(`${lines.join('\n')}\n`);
    if (await confirm(`Seal to the older key of ${name}, from now on?`)) return;
  }
  throw new CofferError(
    'RECIPIENT_KEY_ROLLED_BACK',
    `the active key of ${name} is older than the one that you sealed to before, ${before.kid}`,
    {
      advice: 'Restore the file from git, and ask the owner; if it is right, run it again at a terminal.',
      data: { recipient: name, file, keyId: active.kid },
    },
  );
}

function fileOf({ config }: Workspace): string {
  return sealedToFile(process.env, config.repository);
}
