import { base64Bytes } from '../../core/crypto/base64-bytes.ts';
import type { ObjectMeta } from './resource.ts';

export interface SecretHead {
  metadata: ObjectMeta;
  type: string;
}

/**
 * A Secret as the JSON of a request, in a buffer that the caller wipes: values never become strings. Entries are in the order of
 * their names.
 */
export function secretBody({ metadata, type }: SecretHead, entries: ReadonlyMap<string, Uint8Array>): Buffer {
  const head = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type });
  const pieces: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"data":{`)];
  try {
    for (const [index, name] of [...entries.keys()].sort().entries()) {
      pieces.push(Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(name)}:"`));
      pieces.push(base64Bytes(entries.get(name) ?? new Uint8Array()), Buffer.from('"'));
    }
    pieces.push(Buffer.from('}}'));
    const body = Buffer.alloc(pieces.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const piece of pieces) {
      body.set(piece, offset);
      offset += piece.length;
    }
    return body;
  } finally {
    for (const piece of pieces) piece.fill(0);
  }
}

/** Bytes of the values of one Secret, at most (Kubernetes' MaxSecretSize). */
export const LARGEST_SECRET = 1024 * 1024;

export function sizeOf(entries: ReadonlyMap<string, Uint8Array>): number {
  let size = 0;
  for (const value of entries.values()) size += value.length;
  return size;
}
