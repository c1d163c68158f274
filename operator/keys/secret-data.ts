import { decodeBase64Bytes } from '../../core/crypto/base64-bytes.ts';
import { Bug } from '../../core/errors.ts';
import type { KubeObject } from '../kubernetes/resource.ts';

/** A Secret's data out of its JSON, past the strings that `JSON.parse` would make: they could not be wiped. */

const FIELD = Buffer.from('"data":{');
const END = Buffer.from('}');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export interface SplitSecret {
  /** Without `data`. */
  object: KubeObject & { type?: string };
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
  if (start === -1) return { object: JSON.parse(json.toString()) as SplitSecret['object'], data: new Map() };
  const end = json.indexOf(END, start);
  const around = Buffer.concat([json.subarray(0, start + FIELD.length), json.subarray(end)]);
  return {
    object: JSON.parse(around.toString()) as SplitSecret['object'],
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

export function wipeData(data: ReadonlyMap<string, Buffer>): void {
  for (const value of data.values()) value.fill(0);
}
