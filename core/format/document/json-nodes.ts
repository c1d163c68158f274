/** One RFC 8259 JSON document as nodes. It accepts what `JSON.parse` accepts, and knows where everything stands. */
import type { MappingNode, Node, Pair, ScalarNode, SequenceNode } from './node.ts';
import { NodeSyntaxError } from './node-syntax-error.ts';

const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

/** Throws NodeSyntaxError: not JSON, or nested deeper than `maxDepth`. Its messages hold no input. */
export function jsonNodes(text: string, maxDepth: number): Node {
  const scanner = new JsonScanner(text, maxDepth);
  const root = scanner.value(0);
  scanner.end();
  return root;
}

class JsonScanner {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  value(depth: number): Node {
    if (depth > this.#maxDepth) throw new NodeSyntaxError('it is nested too deeply', this.#at);
    this.#match(SPACE);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#bare();
    }
  }

  end(): void {
    this.#match(SPACE);
    if (this.#at < this.#text.length) throw new NodeSyntaxError('something follows the JSON document', this.#at);
  }

  #object(depth: number): MappingNode {
    const start = this.#at++;
    const pairs: Pair[] = [];
    while (!this.#takes('}', pairs.length)) {
      this.#match(SPACE);
      if (this.#text[this.#at] !== '"') throw new NodeSyntaxError('a quoted field name is expected', this.#at);
      const key = this.#string();
      this.#match(SPACE);
      if (this.#text[this.#at] !== ':') throw new NodeSyntaxError('a colon is expected', this.#at);
      this.#at++;
      pairs.push({ key, value: this.value(depth + 1) });
    }
    return { kind: 'mapping', flow: true, pairs, start, end: this.#at };
  }

  #array(depth: number): SequenceNode {
    const start = this.#at++;
    const items: Node[] = [];
    while (!this.#takes(']', items.length)) items.push(this.value(depth + 1));
    return { kind: 'sequence', flow: true, items, start, end: this.#at };
  }

  /** Takes the closing bracket, or the comma before another member. */
  #takes(closing: '}' | ']', members: number): boolean {
    this.#match(SPACE);
    const next = this.#text[this.#at];
    if (next === closing) {
      this.#at++;
      return true;
    }
    if (members === 0) return false;
    if (next !== ',') throw new NodeSyntaxError(`a comma or ${closing} is expected`, this.#at);
    this.#at++;
    return false;
  }

  #string(): ScalarNode {
    const start = this.#at;
    const token = this.#match(STRING);
    if (token === undefined) throw new NodeSyntaxError('a string does not end', start);
    return { kind: 'scalar', style: 'double', text: contentOf(token, start), start, end: this.#at };
  }

  #bare(): ScalarNode {
    const start = this.#at;
    const token = this.#match(NUMBER) ?? this.#match(WORD);
    if (token === undefined) throw new NodeSyntaxError('a value is expected', start);
    return { kind: 'scalar', style: 'plain', text: token, start, end: this.#at };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

function contentOf(token: string, offset: number): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    // The cause quotes the text, which may be somebody's password.
    throw new NodeSyntaxError('a string holds a raw control character or an unknown escape', offset);
  }
}
