import { CofferError } from '../errors.ts';

/** What the system's refusals mean to a person, and what can be done. */
const MEANINGS: Record<string, { what: string; advice: string }> = {
  ENOENT: { what: 'there is no such file or folder', advice: 'Check the path.' },
  EACCES: { what: 'permission is denied', advice: 'Run as a user that may, or change the permissions.' },
  EPERM: { what: 'the system does not permit it', advice: 'Run as a user that may, or change the permissions.' },
  EROFS: { what: 'the file system is read-only', advice: 'Write to another place, or mount it writable.' },
  ENOSPC: { what: 'the disk is full', advice: 'Free some space and run it again; nothing was changed.' },
  EDQUOT: { what: 'the disk quota is used up', advice: 'Free some space and run it again; nothing was changed.' },
  EISDIR: { what: 'it is a folder', advice: 'Name a file.' },
  ENOTDIR: { what: 'a part of the path is a file', advice: 'Check the path.' },
  EEXIST: { what: 'it exists already', advice: 'Choose another name, or move what is there away.' },
  ELOOP: { what: 'its symbolic links form a loop', advice: 'Check the path.' },
  ENAMETOOLONG: { what: 'the name is too long', advice: 'Choose a shorter name.' },
  EMFILE: { what: 'too many files are open', advice: 'Raise the limit of open files (`ulimit -n`).' },
};

/**
 * The CofferError for an error of node's file system calls, or undefined when `error` is not one. Its text is made of
 * the system's code and the path alone.
 */
export function fromSystemError(error: unknown): CofferError | undefined {
  if (!isSystemError(error) || error.code === undefined) return undefined;
  const { code, path, syscall } = error;
  const meaning = MEANINGS[code];
  const what = meaning?.what ?? `the system says ${code} (${syscall})`;
  return new CofferError('FILE_SYSTEM', path === undefined ? `a file operation failed: ${what}` : `${path}: ${what}`, {
    advice: meaning?.advice ?? 'Mend the cause and run it again.',
    data: path === undefined ? {} : { path },
    loop: 'retry',
    cause: error,
  });
}

/** For `catch`: what the system refused is thrown as a CofferError FILE_SYSTEM, and any other error as it is. */
export function throwRefusal(error: unknown): never {
  throw fromSystemError(error) ?? error;
}

/** Whether a call of node's was refused by the system; with `codes` (`ENOENT`), for one of these reasons. */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'))
    return false;
  return codes.length === 0 || codes.includes(error.code);
}

/** For `catch`: what is not there is undefined, and any other error stays one. */
export function undefinedIfMissing(error: unknown): undefined {
  if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
  throw error;
}
