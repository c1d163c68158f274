import { CofferError } from '../../../core/errors.ts';
import { isSystemError } from '../../../core/files/system-error.ts';
import { identityOf } from '../../../core/keys/endorsement.ts';
import { readIdentity } from '../../../core/keys/key-directory.ts';
import type { Recipient } from '../../../core/keys/recipient.ts';
import { keyDirectory } from '../../workspace/key-directory.ts';
import type { Workspace } from '../../workspace/workspace.ts';

/**
 * The seed of a recipient's identity, where the key directory has it: under its own name or, for a group, under its creator's.
 * Undefined: it is not here. The caller wipes it.
 *
 * @throws CofferError IDENTITY_OTHER where an identity of its name is another one, KEY_FILE_*, KEY_TEXT_*, FILE_SYSTEM
 */
export async function ownIdentity(
  { keyring }: Workspace,
  recipient: Recipient,
  keyDir: string | undefined,
): Promise<Buffer | undefined> {
  const directory = keyDirectory(keyDir);
  const isSame = (other: Recipient) => other.name !== recipient.name && other.identity.equals(recipient.identity);
  const names = [recipient.name, ...[...keyring.recipients.values()].filter(isSame).map(({ name }) => name)];
  for (const name of names) {
    const seed = await identityIfThere(directory, name);
    if (seed === undefined) continue;
    if (identityOf(seed).equals(recipient.identity)) return seed;
    seed.fill(0);
    throw new CofferError(
      'IDENTITY_OTHER',
      `the identity in ${directory} is not that of ${recipient.name} in the keyring`,
      {
        advice: 'Name the right folder with --key-dir; if the keyring is wrong, restore its file from git.',
        data: { recipient: recipient.name, path: directory, file: recipient.file },
      },
    );
  }
  return undefined;
}

async function identityIfThere(directory: string, name: string): Promise<Buffer | undefined> {
  try {
    return await readIdentity(directory, name);
  } catch (error) {
    if (error instanceof CofferError && isSystemError(error.cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
