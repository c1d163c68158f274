/**
 * YAML as nodes, from the events of js-yaml: they say where scalars stand, but neither where collections end nor where
 * the header of a block scalar is. Strictness (docs/format.md, "Files and strings") is judged on the tree, not here.
 */
import {
  COLLECTION_STYLE,
  EVENT_ID,
  getScalarValue,
  type MappingEvent,
  parseEvents,
  type ScalarEvent,
  type SequenceEvent,
  YAMLException,
} from 'js-yaml';
import { Bug } from '../../errors.ts';
import type { MappingNode, Node, Properties, ScalarNode, ScalarStyle, SequenceNode } from './node.ts';
import { NodeSyntaxError } from './node-syntax-error.ts';

const STYLES: Record<number, ScalarStyle> = { 1: 'plain', 2: 'single', 3: 'double', 4: 'literal', 5: 'folded' };
/** What may stand between the last member of a flow collection and its closing bracket. */
const BEFORE_CLOSING = /(?:[\s,:?]|(?<=\s)#[^\r\n]*)*/y;
/** What may stand between a key and the header of its block scalar. */
const BEFORE_HEADER = /(?:[\s:?-]|(?<=\s)#[^\r\n]*)*/y;

/**
 * The root of a text that holds one document; undefined if it holds none. `base` is added to all offsets: where the
 * text begins in its file. Throws NodeSyntaxError.
 */
export function yamlNodes(text: string, maxDepth: number, base = 0): Node | undefined {
  try {
    const root = new Composer(text, maxDepth).root();
    if (root !== undefined && base > 0) shift(root, base);
    return root;
  } catch (error) {
    if (error instanceof NodeSyntaxError) throw new NodeSyntaxError(error.message, error.offset + base);
    throw error;
  }
}

function shift(node: Node, base: number): void {
  node.start += base;
  node.end += base;
  if (node.kind === 'alias') return;
  for (const property of [node.tag, node.anchor]) {
    if (property === undefined) continue;
    property.start += base;
    property.end += base;
  }
  if (node.kind === 'sequence') for (const item of node.items) shift(item, base);
  if (node.kind === 'mapping') {
    for (const pair of node.pairs) {
      shift(pair.key, base);
      shift(pair.value, base);
    }
  }
}

type Event = ReturnType<typeof parseEvents>[number];

class Composer {
  readonly #text: string;
  readonly #events: Event[];
  #next = 0;
  /** Where the last node ended: an empty node has no place of its own and stands here. */
  #end = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#events = eventsOf(text, maxDepth);
  }

  root(): Node | undefined {
    const first = this.#events[this.#next++];
    if (first === undefined) return undefined;
    if (first.type !== EVENT_ID.DOCUMENT) throw new Bug('the first event of a YAML text is no document');
    const root = this.#node();
    this.#next++;
    if (this.#next < this.#events.length) throw new NodeSyntaxError('a second document begins here', this.#end);
    return root;
  }

  #node(): Node {
    const event = this.#events[this.#next++];
    if (event === undefined) throw new Bug('the events of a YAML text end within a node');
    switch (event.type) {
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.MAPPING:
        return this.#mapping(event);
      case EVENT_ID.SEQUENCE:
        return this.#sequence(event);
      case EVENT_ID.ALIAS:
        this.#end = event.anchorEnd;
        return {
          kind: 'alias',
          name: this.#text.slice(event.anchorStart, event.anchorEnd),
          start: event.anchorStart - 1,
          end: event.anchorEnd,
        };
      default:
        throw new Bug('a YAML event that begins no node');
    }
  }

  #atPop(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next++;
    return true;
  }

  #mapping(event: MappingEvent): MappingNode {
    const node: MappingNode = {
      kind: 'mapping',
      flow: event.style === COLLECTION_STYLE.FLOW,
      pairs: [],
      start: event.start,
      end: event.start,
      ...this.#properties(event),
    };
    this.#end = event.start;
    while (!this.#atPop()) node.pairs.push({ key: this.#node(), value: this.#node() });
    return this.#closed(node, '{', '}');
  }

  #sequence(event: SequenceEvent): SequenceNode {
    const node: SequenceNode = {
      kind: 'sequence',
      flow: event.style === COLLECTION_STYLE.FLOW,
      items: [],
      start: event.start,
      end: event.start,
      ...this.#properties(event),
    };
    this.#end = event.start;
    while (!this.#atPop()) node.items.push(this.#node());
    return this.#closed(node, '[', ']');
  }

  /** Fills in the end: of the last member, or past the bracket. A pair in a flow sequence is a mapping without one. */
  #closed<T extends MappingNode | SequenceNode>(node: T, opening: string, closing: string): T {
    node.end = Math.max(this.#end, node.start);
    if (node.flow && this.#text[node.start] === opening) {
      const from = node.end === node.start ? node.start + 1 : node.end;
      const at = from + lengthOf(BEFORE_CLOSING, this.#text, from);
      if (this.#text[at] === closing) node.end = at + 1;
    }
    this.#end = node.end;
    return node;
  }

  #scalar(event: ScalarEvent): ScalarNode {
    const properties = this.#properties(event);
    const style = STYLES[event.style] ?? 'plain';
    const node: ScalarNode = { kind: 'scalar', style, text: '', start: this.#end, end: this.#end, ...properties };
    const after = Math.max(this.#end, properties.tag?.end ?? 0, properties.anchor?.end ?? 0);
    if (event.valueStart < 0) {
      node.start = node.end = after;
    } else {
      node.text = getScalarValue(this.#text, event);
      const quotes = style === 'single' || style === 'double' ? 1 : 0;
      node.start = event.valueStart - quotes;
      node.end = event.valueEnd + quotes;
      if (style === 'literal' || style === 'folded') {
        node.start = after + lengthOf(BEFORE_HEADER, this.#text, after);
        node.end = this.#endOfBlock(node.start, event.valueEnd);
      }
    }
    this.#end = node.end;
    return node;
  }

  /** Without the blank lines that follow the text, and without its last line break. */
  #endOfBlock(header: number, valueEnd: number): number {
    const block = this.#text.slice(header, valueEnd);
    const firstLine = block.search(/[\r\n]/);
    return header + (firstLine < 0 ? block.length : Math.max(firstLine, block.trimEnd().length));
  }

  #properties(event: MappingEvent | SequenceEvent | ScalarEvent): Properties {
    const properties: Properties = {};
    if (event.tagStart >= 0) {
      const [start, end] = [event.tagStart, event.tagEnd];
      properties.tag = { start, end, text: this.#text.slice(start, end) };
    }
    if (event.anchorStart >= 0) {
      const [start, end] = [event.anchorStart - 1, event.anchorEnd];
      properties.anchor = { start, end, name: this.#text.slice(event.anchorStart, end) };
    }
    return properties;
  }
}

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

function eventsOf(text: string, maxDepth: number): Event[] {
  try {
    return parseEvents(text, { maxDepth });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // Some reasons quote the text ("tag name cannot contain such characters: …"), which may be somebody's password.
    const reason = error.reason.replace(/: .*$|\s*".*$/su, '');
    throw new NodeSyntaxError(reason, error.mark?.position ?? 0);
  }
}
