import { CofferError } from '../../errors.ts';

const PAUSED = 'until then nothing new is opened or projected';

/** What the system says, as the log says it; what is no system error stays as it is. */
export function unwritable(error: unknown, path: string): unknown {
  if (error instanceof CofferError || !hasCode(error)) return error;
  if (isFull(error)) return full(path, error);
  return new CofferError('AUDIT_UNWRITABLE', `The audit log could not be written (${error.code}).`, {
    advice: `See that the operator may write there, and that the disk is mounted writable and sound; ${PAUSED}.`,
    data: { path },
    loop: 'retry',
    cause: error,
  });
}

export function full(path: string, cause?: unknown): CofferError {
  return new CofferError('AUDIT_FULL', 'The disk of the audit log is full.', {
    advice: `Make room on it, for instance by a shorter audit.keep; ${PAUSED}.`,
    data: { path },
    loop: 'retry',
    cause,
  });
}

export function removed(path: string): CofferError {
  return new CofferError('AUDIT_UNWRITABLE', 'The audit log was removed or replaced while it was open.', {
    advice: 'Put the file back if you can, find out who removed it, and start the operator again.',
    data: { path },
    loop: 'retry',
  });
}

export function behind(path: string): CofferError {
  return new CofferError('AUDIT_BEHIND', 'The disk of the audit log is too slow for what is to be recorded.', {
    advice: 'Give the log a faster disk; what was refused is tried again.',
    data: { path },
    loop: 'retry',
  });
}

export function unsigned(path: string, cause?: unknown): CofferError {
  return new CofferError('AUDIT_UNSIGNED', 'Records are on disk, and no identity has signed the newest of them yet.', {
    advice: "See that the cluster's identity is where its keys are kept; the log signs as soon as it can read it.",
    data: { path },
    loop: 'retry',
    cause,
  });
}

/** Never mended by us: what is there is evidence. */
export function damaged(path: string, what: string): CofferError {
  return new CofferError('AUDIT_DAMAGED', `The audit log is not as it was written: ${what}.`, {
    advice:
      'Keep the directory as evidence and move it away, and run coffer audit verify on it; the operator begins a new log where there is none.',
    data: { path },
    loop: 'stop',
  });
}

export function rolledBack(path: string, what: string): CofferError {
  return new CofferError(
    'AUDIT_ROLLED_BACK',
    `The audit log does not go on from a checkpoint that it had signed: ${what}.`,
    {
      advice:
        'Put the right volume back if it was mixed up; else keep the directory as evidence, move it away, and find out who changed it.',
      data: { path },
      loop: 'stop',
    },
  );
}

/** A disk that has no room, or a user who may have no more of it. */
export function isFull(error: unknown): boolean {
  return hasCode(error) && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

function hasCode(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
