import { base64Bytes, decodeBase64Bytes } from '../../core/crypto/base64-bytes.ts';
import { Bug } from '../../core/errors.ts';
import type { KubeObject } from '../kubernetes/resource.ts';

/** A Secret's data between its JSON and Buffers, past the strings that `JSON.parse` would make: they could not be wiped. */

const FIELD = Buffer.from('"data":{');
const END = Buffer.from('}');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export interface SplitSecret {
  /** Without `data`. */
  object: KubeObject;
  /** Decoded, in the order of the JSON; the caller wipes them. */
  data: Map<string, Buffer>;
}

/**
 * Of JSON as the API server writes it: compact, so that these bytes begin the field and nothing else. Within a string the quotes
 * would be escaped, and managed fields are named `f:data`; `data` itself holds only names and base64.
 *
 * @throws CofferError ENCODING_BASE64
 */
export function splitSecret(json: Buffer): SplitSecret {
  const start = json.indexOf(FIELD);
  if (start === -1) return { object: JSON.parse(json.toString()) as KubeObject, data: new Map() };
  const end = json.indexOf(END, start);
  const around = Buffer.concat([json.subarray(0, start + FIELD.length), json.subarray(end)]);
  return {
    object: JSON.parse(around.toString()) as KubeObject,
    data: decodePairs(json.subarray(start + FIELD.length, end)),
  };
}

function decodePairs(pairs: Buffer): Map<string, Buffer> {
  const texts = stringsOf(pairs);
  const data = new Map<string, Buffer>();
  try {
    for (let index = 0; index < texts.length; index += 2) {
      const [name, value] = [texts[index], texts[index + 1]];
      if (name === undefined || value === undefined) throw new Bug('a name without a value in the data of a Secret');
      data.set(name.toString('latin1'), decodeBase64Bytes(value));
    }
    return data;
  } catch (error) {
    wipeData(data);
    throw error;
  }
}

function stringsOf(pairs: Buffer): Buffer[] {
  if (pairs.includes(BACKSLASH)) throw new Bug('an escape in the data of a Secret');
  const texts: Buffer[] = [];
  for (let open = pairs.indexOf(QUOTE); open !== -1; ) {
    const close = pairs.indexOf(QUOTE, open + 1);
    if (close === -1) throw new Bug('a text without an end in the data of a Secret');
    texts.push(pairs.subarray(open + 1, close));
    open = pairs.indexOf(QUOTE, close + 1);
  }
  return texts;
}

/** The JSON of `object` with this data, which the caller wipes. */
export function joinSecret(object: KubeObject & { type?: string }, data: ReadonlyMap<string, Uint8Array>): Buffer {
  const text = Buffer.from(JSON.stringify({ ...object, data: {} }));
  const start = text.length - '}}'.length;
  const pairs = Array.from(data, ([name, value]) => ({
    name: Buffer.from(`${JSON.stringify(name)}:"`),
    value: base64Bytes(value),
  }));
  const between = Buffer.from('",');
  const parts = pairs.flatMap(({ name, value }, index) => [
    name,
    value,
    index + 1 < pairs.length ? between : between.subarray(0, 1),
  ]);
  const json = allocated([text.subarray(0, start), ...parts, text.subarray(start)]);
  for (const { value } of pairs) value.fill(0);
  return json;
}

export function wipeData(data: ReadonlyMap<string, Buffer>): void {
  for (const value of data.values()) value.fill(0);
}

/** Joined in memory that no other Buffer shares, so that wiping it wipes all of it. */
function allocated(parts: readonly Uint8Array[]): Buffer {
  const joined = Buffer.alloc(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
