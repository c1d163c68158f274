/**
 * Errors as a user interface. A `CofferError` is something that a person or the world did and that a person can mend;
 * a `Bug` is ours. Neither ever carries a secret value, and `data` is safe to print, log and publish as it is.
 */

/** 1: the answer is no (a check found something). 2: wrong usage. 3: cannot (key, file, network, permission). */
export type ExitCode = 1 | 2 | 3;

/** What the operator's loop does: try again with back-off, wait for a commit or configuration to change, or end. */
export type LoopAction = 'retry' | 'wait' | 'stop';

/** Where and what, in terms that are public. Lines and columns count from 1. */
export interface ErrorData {
  file?: string;
  line?: number;
  column?: number;
  entry?: string;
  namespace?: string;
  name?: string;
  recipient?: string;
  keyId?: string;
  dataKeyId?: string;
  commit?: string;
  workload?: string;
  source?: string;
  path?: string;
}

export interface ErrorOptions {
  /** What to do next: one sentence, imperative. */
  advice: string;
  data?: ErrorData;
  exit?: ExitCode;
  loop?: LoopAction;
  cause?: unknown;
}

export class CofferError extends Error {
  /** Stable, for programs: upper snake case, room first (`MANIFEST_ENTRY_UNKNOWN`). Listed in docs/errors.md. */
  readonly code: string;
  readonly advice: string;
  readonly data: ErrorData;
  readonly exit: ExitCode;
  readonly loop: LoopAction;

  constructor(code: string, message: string, options: ErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CofferError';
    this.code = code;
    this.advice = options.advice;
    this.data = options.data ?? {};
    this.exit = options.exit ?? 3;
    this.loop = options.loop ?? 'wait';
  }

  /** The same error with more of its place filled in; what it already names stays. */
  at(data: ErrorData): CofferError {
    return new CofferError(this.code, this.message, {
      advice: this.advice,
      data: { ...data, ...this.data },
      exit: this.exit,
      loop: this.loop,
      cause: this.cause,
    });
  }
}

/** A state that the code rules out. Its message never contains input. */
export class Bug extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Bug';
  }
}

/** With `codes`: one of these. */
export function isCofferError(error: unknown, ...codes: readonly string[]): error is CofferError {
  return error instanceof CofferError && (codes.length === 0 || codes.includes(error.code));
}

/** What `work`, which is synchronous, makes; undefined where it throws a CofferError, with `codes` one of these. */
export function orNothing<Made>(work: () => Made, ...codes: readonly string[]): Made | undefined {
  try {
    return work();
  } catch (error) {
    if (isCofferError(error, ...codes)) return undefined;
    throw error;
  }
}

/** The same for `catch` of a promise: `catch(nothingFor('GIT_MISSING'))`. */
export function nothingFor(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!isCofferError(error, ...codes)) throw error;
  };
}

/** `file:line:column`, as far as it is known; empty when no file is. */
export function placeOf(data: ErrorData): string {
  if (data.file === undefined) return '';
  return [data.file, data.line, data.column].filter((part) => part !== undefined).join(':');
}
