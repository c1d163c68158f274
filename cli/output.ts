import { Bug, CofferError, type ErrorData, placeOf } from '../core/errors.ts';
import { fromSystemError } from '../core/files/system-error.ts';
import { fromUsageError } from './usage-errors.ts';

/** What a program gets with `--json`: these fields and no others, whatever the error object carries. */
export interface ErrorReport {
  code: string;
  message: string;
  advice: string;
  data: ErrorData;
}

type Stream = NodeJS.WriteStream;
type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';

/** Colour on a terminal only; NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR are honoured. */
export function paint(style: Style, text: string, stream: Stream = process.stdout): string {
  if (!stream.isTTY && process.env.FORCE_COLOR === undefined) return text;
  // Importing node:util evaluates all that it exports, 5 ms of every start; a pipe does not pay for it.
  return process.getBuiltinModule('node:util').styleText(style, text, { stream, validateStream: true });
}

/** Text that comes from files and file names, safe to show: what could steer a terminal is replaced. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** An error for people: code and message, the place on a line of its own, then what to do. */
export function renderError(error: unknown, stream: Stream): string {
  const known = toCofferError(error);
  if (known === undefined) return renderBug(error, stream);
  const place = placeOf(known.data);
  return [
    `${paint('red', 'error', stream)} ${paint('bold', known.code, stream)}: ${printable(known.message)}`,
    ...(place === '' ? [] : [`  ${paint('cyan', printable(place), stream)}`]),
    ...known.advice.split('\n').map((line) => `  ${printable(line)}`),
    '',
  ].join('\n');
}

export function renderWarning(message: string, stream: Stream): string {
  return `${paint('yellow', 'warning', stream)}: ${printable(message)}\n`;
}

export function errorReport(error: unknown): ErrorReport {
  const known = toCofferError(error);
  if (known !== undefined) return { code: known.code, message: known.message, advice: known.advice, data: known.data };
  return { code: 'BUG', message: bugText(error), advice: REPORT_ADVICE, data: {} };
}

export function renderErrorJson(error: unknown): string {
  return `${JSON.stringify({ error: errorReport(error) }, null, 2)}\n`;
}

export function exitCodeOf(error: unknown): number {
  return toCofferError(error)?.exit ?? 3;
}

const REPORT_ADVICE = 'Please report it with the lines above, and what you ran (without any secret value).';

/** A mistake of ours looks different from one of theirs, and shows where in our code, not what it worked on. */
function renderBug(error: unknown, stream: Stream): string {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return [
    `${paint('red', 'This is a mistake in coffer, not yours.', stream)} ${bugText(error)}`,
    ...frames.slice(0, 8).map((line) => `  ${line.trim()}`),
    REPORT_ADVICE,
    '',
  ].join('\n');
}

/** A Bug's message is written by us and contains no input; of any other error only the class is told. */
function bugText(error: unknown): string {
  if (error instanceof Bug) return error.message;
  return error instanceof Error ? error.name : typeof error;
}

function toCofferError(error: unknown): CofferError | undefined {
  return error instanceof CofferError ? error : (fromSystemError(error) ?? fromUsageError(error));
}
