import { documentProblems } from '../document/document.ts';
import type { Node } from '../document/node.ts';
import { utf16Of } from '../document/source-text.ts';

/** A key id where something that is sealed to it follows. */
const SEALED = /(?<![0-9a-f])[0-9a-f]{32}(?=:[A-Za-z0-9_-]{64})/g;

/** To which keys a file is sealed. */
export interface SealedTo {
  /** Kid → stanzas of it. */
  counts: ReadonlyMap<string, number>;
  /** It is written in a way that hides key ids from a search, and cannot be read: it may be sealed to any key. */
  isUnclear: boolean;
}

/**
 * Of the bytes of a manifest or a file of the keyring: as they stand there, so that a manifest which nobody can read still hangs on its
 * keys, and as YAML and JSON escapes write them, which the reader opens like any other.
 */
export function sealedTo(bytes: Uint8Array, file: string): SealedTo {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = countsOf(buffer.toString('latin1'));
  if (!buffer.includes('\\') && utf16Of(buffer) === undefined) return { counts, isUnclear: false };
  const { documents, problems } = documentProblems(buffer, file);
  for (const [kid, count] of countsOf(documents.documents.flatMap(({ root }) => scalarsOf(root)).join('\n'))) {
    counts.set(kid, Math.max(count, counts.get(kid) ?? 0));
  }
  return { counts, isUnclear: problems.length > 0 };
}

export function mayNeed({ counts, isUnclear }: SealedTo, kid: string): boolean {
  return isUnclear || counts.has(kid);
}

function countsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [kid] of text.matchAll(SEALED)) counts.set(kid, (counts.get(kid) ?? 0) + 1);
  return counts;
}

function scalarsOf(root: Node): string[] {
  const texts: string[] = [];
  const left: Node[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node.kind === 'scalar') texts.push(node.text);
    else if (node.kind === 'sequence') left.push(...node.items);
    else if (node.kind === 'mapping') for (const { key, value } of node.pairs) left.push(key, value);
  }
  return texts;
}
