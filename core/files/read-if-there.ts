import { readFile } from 'node:fs/promises';
import { Bug } from '../errors.ts';
import { fromSystemError, isSystemError } from './system-error.ts';

/** A file's text, empty where there is no such file. Throws CofferError for what else the system says. */
export async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw fromSystemError(error) ?? new Bug('reading a file failed');
  }
}
