/**
 * Which objects of a document are coffer's (docs/format.md, "Files and strings"). Aliases and merge keys are followed,
 * although coffer documents may not hold any: another reader follows them, and sees a manifest where this one would see
 * nothing to refuse.
 */
import type { AliasNode, MappingNode, Node } from './node.ts';

interface Traits {
  /** Whether an `apiVersion` of it begins `coffer.dev/`, be it the second one. */
  isNamed: boolean;
  /** Whether it has more of an object than a reference to one has (`ownerReferences`, `managedFields`). */
  hasBody: boolean;
}

export class CofferObjects {
  readonly #targets: ReadonlyMap<AliasNode, Node>;
  readonly #traits = new Map<MappingNode, Traits>();

  constructor(root: Node) {
    const nodes = inOrder(root);
    this.#targets = aliasTargets(nodes);
    // Backwards children come before their parents. Not by recursion: a chain of a million merges fits on no stack.
    for (const node of childrenFirst(root)) if (node.kind === 'mapping') this.#traits.set(node, this.#traitsOf(node));
  }

  isNamed(node: Node): boolean {
    return node.kind === 'mapping' && (this.#traits.get(node)?.isNamed ?? false);
  }

  /** An object of coffer's, not a mere reference to one. */
  isObject(node: Node): boolean {
    return node.kind === 'mapping' && this.isNamed(node) && (this.#traits.get(node)?.hasBody ?? false);
  }

  /** In the order of the text. */
  all(): MappingNode[] {
    return [...this.#traits.keys()].filter((node) => this.isObject(node)).toSorted((a, b) => a.start - b.start);
  }

  #traitsOf(node: MappingNode): Traits {
    const traits = { isNamed: false, hasBody: false };
    for (const { key, value } of node.pairs) {
      const name = this.#textOf(key);
      if (name === 'apiVersion') traits.isNamed ||= this.#textOf(value)?.startsWith('coffer.dev/') ?? false;
      else if (name === 'metadata' || name === 'spec') traits.hasBody = true;
      else if (name === '<<') this.#merge(value, traits);
    }
    return traits;
  }

  /** A mapping, or a list of some. One that merges itself is nothing yet. */
  #merge(value: Node, traits: Traits): void {
    const merged = this.#resolved(value);
    for (const one of merged?.kind === 'sequence' ? merged.items : [merged]) {
      const mapping = one && this.#resolved(one);
      const found = mapping?.kind === 'mapping' ? this.#traits.get(mapping) : undefined;
      traits.isNamed ||= found?.isNamed ?? false;
      traits.hasBody ||= found?.hasBody ?? false;
    }
  }

  #textOf(node: Node): string | undefined {
    const resolved = this.#resolved(node);
    return resolved?.kind === 'scalar' ? resolved.text : undefined;
  }

  #resolved(node: Node): Node | undefined {
    return node.kind === 'alias' ? this.#targets.get(node) : node;
  }
}

/** An alias stands for the last node before it that has the anchor (YAML 1.2, 7.1). */
function aliasTargets(nodes: Iterable<Node>): Map<AliasNode, Node> {
  const anchored = new Map<string, Node>();
  const targets = new Map<AliasNode, Node>();
  for (const node of nodes) {
    if (node.kind !== 'alias') {
      if (node.anchor !== undefined) anchored.set(node.anchor.name, node);
      continue;
    }
    const target = anchored.get(node.name);
    if (target !== undefined) targets.set(node, target);
  }
  return targets;
}

function inOrder(root: Node): Node[] {
  return walk(root, (children) => children.toReversed());
}

function childrenFirst(root: Node): Node[] {
  return walk(root, (children) => children).toReversed();
}

/** Each node before its children, of which the last that `order` gives goes first. */
function walk(root: Node, order: (children: Node[]) => Node[]): Node[] {
  const left: Node[] = [root];
  const nodes: Node[] = [];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    nodes.push(node);
    // Not by spreading: a list of a million items would not fit on the stack.
    for (const child of order(childrenOf(node))) left.push(child);
  }
  return nodes;
}

function childrenOf(node: Node): Node[] {
  if (node.kind === 'sequence') return node.items;
  return node.kind === 'mapping' ? node.pairs.flatMap(({ key, value }) => [key, value]) : [];
}
