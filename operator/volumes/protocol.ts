import { CofferError } from '../../core/errors.ts';
import { isObject, parseJson } from '../../core/json.ts';
import { ENTRY } from '../../schemas/grammar.ts';

/**
 * What node plugins and the volumes server say to each other, over HTTPS:
 *
 *   POST /v1/mount   Authorization: Bearer TOKEN-OF-THE-POD   {"secret": NAME, "version"?: KNOWN}
 *   200 application/octet-stream: a frame of entries · 204: KNOWN is what there is · else a refusal as JSON
 *
 * Namespace, ServiceAccount and pod are those of the token. The frame holds bytes as they are, so that no value becomes a string:
 * four octets (big-endian) with the length of a JSON header {"version", "entries": [[NAME, LENGTH], …]}, the header, and the values.
 */
export const MOUNT_PATH = '/v1/mount';
export const BREAK_GLASS_PATH = '/v1/break-glass';
export const VERSION_HEADER = 'coffer-version';

/** Bytes. A document of git has at most one mebibyte; templates may repeat what is in it. */
export const MOST_FRAME = 4 * 1024 * 1024;
const MOST_HEADER = 128 * 1024;
const LENGTH_OCTETS = 4;

export interface MountRequest {
  secret: string;
  version?: string;
}

/** Of every answer that is no success. */
export interface Refusal {
  code: string;
  message: string;
  advice: string;
}

export interface Entries {
  version: string;
  /** Parts of the frame: who wipes it wipes them. */
  values: ReadonlyMap<string, Buffer>;
}

/** The parts of a frame in their order; the values themselves, not copies. */
export function frameParts(version: string, values: ReadonlyMap<string, Buffer>): Buffer[] {
  const header = Buffer.from(
    JSON.stringify({ version, entries: Array.from(values, ([name, { length }]) => [name, length]) }),
  );
  const length = Buffer.alloc(LENGTH_OCTETS);
  length.writeUInt32BE(header.length);
  return [length, header, ...values.values()];
}

/** Throws CofferError `VOLUME_FRAME`. */
export function readFrame(frame: Buffer): Entries {
  const headerLength = frame.length < LENGTH_OCTETS ? 0 : frame.readUInt32BE();
  if (headerLength > MOST_HEADER) throw damaged();
  const { version, entries } = headerOf(frame.subarray(LENGTH_OCTETS, LENGTH_OCTETS + headerLength));
  const values = new Map<string, Buffer>();
  let at = LENGTH_OCTETS + headerLength;
  for (const [name, length] of entries) {
    values.set(name, frame.subarray(at, at + length));
    at += length;
  }
  if (at !== frame.length || values.size !== entries.length) throw damaged();
  return { version, values };
}

function headerOf(bytes: Buffer): { version: string; entries: [string, number][] } {
  const header = jsonObject(bytes);
  const { version, entries } = header ?? {};
  if (typeof version !== 'string' || !Array.isArray(entries)) throw damaged();
  return { version, entries: entries.map(rowOf) };
}

function rowOf(row: unknown): [string, number] {
  const [name, length] = Array.isArray(row) ? row : [];
  const isRow = typeof name === 'string' && new RegExp(ENTRY).test(name) && Number.isSafeInteger(length) && length >= 0;
  if (!isRow) throw damaged();
  return [name, length];
}

/** undefined for anything but a JSON object. */
export function jsonObject(bytes: Buffer): Record<string, unknown> | undefined {
  const value = parseJson(bytes.toString('utf8'));
  return isObject(value) ? value : undefined;
}

function damaged(): CofferError {
  return new CofferError('VOLUME_FRAME', 'The answer of the volumes server is not whole.', {
    advice:
      'See that operator and node plugin are of one release, and that nothing between them changes what they say.',
    loop: 'retry',
  });
}
