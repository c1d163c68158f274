import { createHash } from 'node:crypto';

/** One of the objects that hold a text. */
export interface TextPart {
  name: string;
  data: PartData;
}

type PartData = Readonly<Record<string, string>>;

/** Characters: an object of Kubernetes holds 1 MiB. */
const LONGEST = 700_000;

/**
 * A text in objects of a limited size. The first names the digest that all the others have in their names: until it is written, the
 * text before it is whole, and after that the new one is. So it is written last.
 */
export function partsOf(id: string, text: string): { first: TextPart; others: TextPart[] } {
  const digest = digestOf(text);
  const others: TextPart[] = [];
  for (let at = LONGEST; at < text.length; at += LONGEST) {
    others.push({ name: nameOf(id, digest, others.length + 1), data: { part: text.slice(at, at + LONGEST) } });
  }
  const data = { part: text.slice(0, LONGEST), digest, parts: String(others.length + 1) };
  return { first: { name: firstName(id), data }, others };
}

export function firstName(id: string): string {
  return `coffer-rotation-${id}`;
}

/**
 * The text whose first part this is. `partOf`: of the others, by name. With the names of all that it is made of; no text where one of
 * them is missing or is another's.
 */
export function textOfParts(
  id: string,
  { part = '', parts, digest = '' }: PartData,
  partOf: (name: string) => PartData | undefined,
): { text?: string; names: string[] } {
  const names: string[] = [];
  const texts = [part];
  for (let index = 1; index < Number(parts); index += 1) {
    const name = nameOf(id, digest, index);
    const more = partOf(name)?.part;
    if (more === undefined) return { names };
    names.push(name);
    texts.push(more);
  }
  const text = texts.join('');
  return digestOf(text) === digest ? { text, names } : { names };
}

function nameOf(id: string, digest: string, index: number): string {
  return `${firstName(id)}-${digest}-${index}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
