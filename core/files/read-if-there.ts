import { readdir, readFile } from 'node:fs/promises';
import { isSystemError, throwRefusal } from './system-error.ts';

/** A file's text, empty where there is no such file. Throws CofferError FILE_SYSTEM for what else the system says. */
export async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => (isSystemError(error, 'ENOENT') ? '' : throwRefusal(error)));
}

/** The names in a folder, none where there is no such folder. Throws likewise. */
export async function listIfThere(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => (isSystemError(error, 'ENOENT') ? [] : throwRefusal(error)));
}
