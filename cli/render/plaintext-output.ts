import { stat, writeFile } from 'node:fs/promises';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { undefinedIfMissing } from '../../core/files/system-error.ts';

/**
 * Writes plaintext to `file`, mode 0600 and this user's own, replaced as a whole, or to standard output. Settles when
 * the bytes have left this process, so that the caller can wipe them. If `file` is a pipe or device it is written
 * to, not replaced.
 */
export async function writePlaintext(plaintext: Uint8Array, file: string | undefined): Promise<void> {
  if (file === undefined) await writeToStandardOutput(plaintext);
  else if (await isSpecialFile(file)) await writeFile(file, plaintext);
  else await writeFileAtomically(file, plaintext, { mode: 0o600, owner: 'mine' });
}

function writeToStandardOutput(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function isSpecialFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(undefinedIfMissing);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}
