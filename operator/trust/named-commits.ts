import { readdir } from 'node:fs/promises';
import { isSystemError } from '../../core/files/system-error.ts';

/** The full id of a commit, as a person gives it and as a file is named that bears a person's word for it. */
export const COMMIT = /^[0-9a-f]{40}$/;

/** Of a folder whose files are named by commits; none where it is not there. */
export async function namedCommits(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => COMMIT.test(name));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
