import { inSodium } from './sodium.ts';

/** Unkeyed BLAKE2b with a digest of `length` bytes, over the parts joined. The parts may be secret. */
export function blake2b(length: number, ...parts: (string | Uint8Array)[]): Buffer {
  return inSodium((sodium, memory) => {
    const pieces = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part));
    const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const input = memory.room(total);
    const digest = memory.room(length);
    const view = memory.view(input, total);
    let offset = 0;
    for (const piece of pieces) {
      view.set(piece, offset);
      offset += piece.length;
    }
    sodium._crypto_generichash(digest, length, input, total, 0, 0, 0);
    return memory.take(digest, length);
  });
}
