/** A document as a tree of nodes that know where they stand in the text, in UTF-16 offsets: start, and end (exclusive). */

export interface Span {
  start: number;
  end: number;
}

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

/** What stands before a node: a tag as written (`!!binary`), an anchor. Coffer documents may hold but the one tag. */
export interface Properties {
  tag?: Span & { text: string };
  anchor?: Span & { name: string };
}

export interface ScalarNode extends Span, Properties {
  kind: 'scalar';
  style: ScalarStyle;
  /** The content, unescaped. The span holds the quotes, or the header of a block scalar, but neither tag nor anchor. */
  text: string;
}

export interface Pair {
  key: Node;
  value: Node;
}

/** In block style the span goes from the first key to the end of the last value; in flow style it holds the brackets. */
export interface MappingNode extends Span, Properties {
  kind: 'mapping';
  flow: boolean;
  pairs: Pair[];
}

export interface SequenceNode extends Span, Properties {
  kind: 'sequence';
  flow: boolean;
  items: Node[];
}

/** `*name`: refused in coffer documents, left alone in others. */
export interface AliasNode extends Span {
  kind: 'alias';
  name: string;
}

export type Node = ScalarNode | MappingNode | SequenceNode | AliasNode;

/** Field names and list positions from the root of a document. */
export type Path = readonly (string | number)[];

/** Mappings are searched by name over and over; from some size on a list is too slow for that. */
const LARGE = 16;
const largeMappings = new WeakMap<MappingNode, ReadonlyMap<string, Pair>>();

/** The pair of a mapping that was read to its end, whose key is this text. */
export function pairOf(node: Node | undefined, key: string): Pair | undefined {
  if (node?.kind !== 'mapping') return undefined;
  if (node.pairs.length >= LARGE) return byKey(node).get(key);
  return node.pairs.find((pair) => pair.key.kind === 'scalar' && pair.key.text === key);
}

function byKey(node: MappingNode): ReadonlyMap<string, Pair> {
  const known = largeMappings.get(node);
  if (known !== undefined) return known;
  const pairs = new Map<string, Pair>();
  for (const pair of node.pairs) {
    if (pair.key.kind === 'scalar' && !pairs.has(pair.key.text)) pairs.set(pair.key.text, pair);
  }
  largeMappings.set(node, pairs);
  return pairs;
}

/** The value under a field of a mapping. */
export function field(node: Node | undefined, key: string): Node | undefined {
  return pairOf(node, key)?.value;
}

export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) {
    if (typeof step === 'string') node = field(node, step);
    else node = node?.kind === 'sequence' ? node.items[step] : undefined;
  }
  return node;
}

/** The deepest node on the path that exists; where the last step is a field, its key, which is where people look. */
export function nearestNode(root: Node, path: Path): Node {
  let node = root;
  for (const [index, step] of path.entries()) {
    const pair = typeof step === 'string' ? pairOf(node, step) : undefined;
    if (pair !== undefined && index === path.length - 1) return pair.key;
    const next = pair?.value ?? (typeof step === 'number' && node.kind === 'sequence' ? node.items[step] : undefined);
    if (next === undefined) return node;
    node = next;
  }
  return node;
}
