/** How writers spell scalars: plain where every reader agrees on it, else in double quotes (docs/format.md, "Files and strings"). */
import { isAmbiguousPlain } from './plain-scalar.ts';

/** In YAML and JSON alike. */
export function doubleQuoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escaped);
}

/** A name (entry, recipient, workload), as a key or as a list item, in block and in flow style. */
export function nameText(name: string): string {
  const plain = /^[a-zA-Z0-9_][-._a-zA-Z0-9]*$/.test(name) && !isAmbiguousPlain(name);
  return plain ? name : doubleQuoted(name);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
