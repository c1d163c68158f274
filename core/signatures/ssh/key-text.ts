import type { Refuse } from '../refusal.ts';
import { WireReader } from './wire.ts';

/** Standard base64 with its padding, in the one form that these bytes have. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** `TYPE BASE64 [COMMENT]` as in `.pub` files; returns the blob. The type is that of the blob. */
export function readKeyText(text: string, refuse: Refuse): Buffer {
  const [type = '', base64 = ''] = text.split(/[ \t]+/, 2);
  const blob = decodeBase64(base64);
  if (blob === undefined || blob.length === 0) throw refuse('a key that is not `TYPE BASE64`');
  const within = new WireReader(blob, (what) => refuse(`a key that ${what}`)).name();
  if (within !== type) throw refuse('a key of another type than the word before it says');
  return blob;
}
