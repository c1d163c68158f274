import pino from 'pino';
import type { AuditLine } from '../../core/audit/record.ts';
import { Bug, CofferError, type ErrorData, placeOf } from '../../core/errors.ts';

/** What a line may say besides its message; nothing else gets into the log. */
export interface LogFields {
  source?: string;
  commit?: string;
  address?: string;
  cluster?: string;
  version?: string;
  secrets?: number;
  troubles?: number;
  milliseconds?: number;
  signal?: string;
  /** NAMESPACE/NAME. */
  pod?: string;
}

/** The parts of an error that are safe to print. */
interface Failure {
  code: string;
  message: string;
  advice?: string;
  data?: ErrorData;
}

/** JSON lines. Callers give fields by name, never objects that they were handed. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** Something that a person should see: an error, or what a status says of one. */
  failure(failure: Failure): void;
  /** The same of anything that was thrown: of what is not a CofferError only the class and where it came from are told. */
  thrown(error: unknown): void;
}

/** The output of the operator, where records go as well. */
export interface RecordingLog extends Log {
  /** Without a `sequence` it is in no log yet. A record never holds a value. */
  audit(record: Omit<AuditLine, 'sequence'> & { sequence?: number }): void;
}

/** Lines are written synchronously, so that the last ones of a process that crashes are not lost. */
export function openLog(descriptor: number): RecordingLog {
  const options: pino.LoggerOptions = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  options.formatters = { level: (level) => ({ level }) };
  const logger = pino(options, pino.destination({ fd: descriptor, sync: true }));
  const log: RecordingLog = {
    info: (message, fields = {}) => logger.info(allowed(fields), message),
    warn: (message, fields = {}) => logger.warn(allowed(fields), message),
    failure: ({ code, message, advice, data = {} }) =>
      logger.error({ code, advice, place: placeOf(data) || undefined, ...placed(data) }, message),
    audit: (audit) => logger.info({ audit }, 'audit'),
    thrown: (error) => {
      if (error instanceof CofferError) log.failure(error);
      else logger.error({ code: 'BUG', frames: framesOf(error) }, messageOf(error));
    },
  };
  return log;
}

const FIELDS = [
  'source',
  'commit',
  'address',
  'cluster',
  'version',
  'secrets',
  'troubles',
  'milliseconds',
  'signal',
  'pod',
] as const;
const PLACES = [
  'entry',
  'namespace',
  'name',
  'recipient',
  'keyId',
  'dataKeyId',
  'commit',
  'workload',
  'source',
  'path',
] as const;

function allowed(fields: LogFields): LogFields {
  return Object.fromEntries(FIELDS.map((field) => [field, fields[field]]));
}

function placed(data: ErrorData): ErrorData {
  return Object.fromEntries(PLACES.map((field) => [field, data[field]]));
}

/** The message of an error that is not ours may quote what it was given, which may be a value. */
function messageOf(error: unknown): string {
  if (error instanceof Bug) return error.message;
  const kind = error instanceof Error ? error.name : typeof error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return `an unexpected ${kind}${code}`;
}

/** Functions and lines of the stack, without its first lines, which are the message. */
function framesOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack
    .split('\n')
    .filter((line) => /^ {4}at .*:\d+:\d+\)?$/.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
}
