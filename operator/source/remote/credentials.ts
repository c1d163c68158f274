import { readFile } from 'node:fs/promises';
import { CofferError } from '../../../core/errors.ts';

export interface CredentialFiles {
  usernameFile?: string;
  passwordFile?: string;
  bearerFile?: string;
}

/** The value of `Authorization` from the files as they are now: whoever rotates a token just replaces the file. */
export async function readAuthorization(files: CredentialFiles): Promise<string | undefined> {
  if (files.bearerFile !== undefined) return `Bearer ${await readLine(files.bearerFile)}`;
  if (files.passwordFile === undefined) return undefined;
  const username = files.usernameFile === undefined ? 'git' : await readLine(files.usernameFile);
  const password = await readLine(files.passwordFile);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The one line of a file. Throws `SOURCE_CREDENTIALS_UNREADABLE`. */
export async function readLine(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CofferError('SOURCE_CREDENTIALS_UNREADABLE', `the credentials file ${file} cannot be read`, {
      advice: 'Check its path and permissions; it is read again at every fetch.',
      data: { path: file },
      loop: 'retry',
      cause,
    });
  }
  const line = text.replace(/\r?\n$/, '');
  // A line break would begin a header of its own.
  if (line !== '' && !/[\r\n\0]/.test(line)) return line;
  throw new CofferError('SOURCE_CREDENTIALS_UNREADABLE', `the credentials file ${file} does not hold one line`, {
    advice: 'Write the bare user name, password or token into it.',
    data: { path: file },
    loop: 'retry',
  });
}
