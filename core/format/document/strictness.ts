/**
 * A coffer document's nodes as plain data, with what docs/format.md, "Files and strings", refuses in them. A problem
 * does not hide the next one, so that `coffer check` can list them all.
 */
import { CofferError, type ErrorData } from '../../errors.ts';
import type { CofferObjects } from './coffer-objects.ts';
import type { MappingNode, Node, ScalarNode } from './node.ts';
import { isAmbiguousPlain, plainValue } from './plain-scalar.ts';
import { forbiddenCharacter } from './source-text.ts';

/** Stands for a `!!binary` scalar, which only `spec.data` of a manifest may hold; its bytes are read from the node. */
const BINARY: unique symbol = Symbol('!!binary');

/** Why a piece of text was refused, and where. */
type Refuse = (code: string, node: { start: number }, message: string, advice: string, data?: ErrorData) => void;

export interface StrictValue {
  value: unknown;
  problems: CofferError[];
}

/** Problems reported for one document; nobody reads more. */
const MAX_PROBLEMS = 100;

/** `place` gives file, line and column of an offset. */
export function strictValue(
  root: MappingNode,
  objects: CofferObjects,
  text: string,
  place: (offset: number) => ErrorData,
): StrictValue {
  const problems: CofferError[] = [];
  const refuse: Refuse = (code, node, message, advice, data) => {
    if (problems.length >= MAX_PROBLEMS) return;
    problems.push(new CofferError(code, message, { advice, data: { ...place(node.start), ...data } }));
  };
  return { value: new Strict(text, objects, refuse).value(root), problems };
}

class Strict {
  readonly #text: string;
  readonly #objects: CofferObjects;
  readonly #refuse: Refuse;
  #depth = 0;

  constructor(text: string, objects: CofferObjects, refuse: Refuse) {
    this.#text = text;
    this.#objects = objects;
    this.#refuse = refuse;
  }

  value(node: Node): unknown {
    if (node.kind === 'alias') {
      this.#refuse('DOCUMENT_ALIAS', node, 'An alias stands here.', 'Write out what it stands for.');
      return undefined;
    }
    if (node.anchor !== undefined) {
      this.#refuse('DOCUMENT_ANCHOR', node.anchor, 'An anchor stands here.', 'Remove it.');
    }
    if (node.kind === 'scalar') return this.#scalar(node);
    if (node.tag !== undefined) this.#refuseTag(node.tag);
    this.#depth++;
    const value = node.kind === 'mapping' ? this.#mapping(node) : node.items.map((item) => this.value(item));
    this.#depth--;
    return value;
  }

  #mapping(node: MappingNode): unknown {
    if (this.#depth > 1 && this.#objects.isObject(node)) {
      const advice = 'Make it a document of its own.';
      this.#refuse('DOCUMENT_NESTED', node, 'A coffer object stands inside another object.', advice);
    }
    const value: Record<string, unknown> = Object.create(null);
    for (const pair of node.pairs) {
      const key = this.#key(pair.key);
      if (key === undefined) continue;
      if (Object.hasOwn(value, key)) {
        const message = `The field ${JSON.stringify(key)} stands here a second time.`;
        this.#refuse('DOCUMENT_DUPLICATE_KEY', pair.key, message, 'Keep one of the two.');
      }
      value[key] = this.value(pair.value);
    }
    return value;
  }

  #key(node: Node): string | undefined {
    if (node.kind !== 'scalar') {
      this.#refuse('DOCUMENT_KEY', node, 'A field name is not a string.', 'Use a string as the name of the field.');
      return undefined;
    }
    if (node.style === 'plain' && node.text === '<<') {
      const message = 'A merge key stands here.';
      this.#refuse('DOCUMENT_MERGE_KEY', node, message, 'Write out the fields that it merges.');
      return undefined;
    }
    if (node.anchor !== undefined) this.#refuse('DOCUMENT_ANCHOR', node.anchor, 'An anchor stands here.', 'Remove it.');
    if (node.tag !== undefined) this.#refuseTag(node.tag);
    this.#checkCharacters(node);
    if (node.style === 'plain' && isAmbiguousPlain(node.text)) {
      const message = 'YAML 1.1 or 1.2 reads this field name as something else than a string.';
      this.#refuse('DOCUMENT_AMBIGUOUS', node, message, quoteAdvice(node.text));
    }
    return node.text;
  }

  #scalar(node: ScalarNode): unknown {
    this.#checkCharacters(node);
    if (node.tag !== undefined && node.tag.text !== '!!binary') {
      this.#refuseTag(node.tag);
      return undefined;
    }
    if (node.tag !== undefined) return BINARY;
    return node.style === 'plain' ? plainValue(node.text) : node.text;
  }

  #refuseTag(tag: { start: number }): void {
    // The tag itself may be a password that begins with an exclamation mark.
    const advice =
      'Remove the tag, or quote the value if it begins with an exclamation mark. Only !!binary is allowed.';
    this.#refuse('DOCUMENT_TAG', tag, 'A tag that coffer does not allow stands here.', advice);
  }

  #checkCharacters(node: ScalarNode): void {
    const forbidden = forbiddenCharacter(node.text);
    if (forbidden !== undefined) {
      const advice = 'Remove it; bytes that are not text can be given as !!binary, or from a file with `coffer set`.';
      this.#refuse('FILE_CHARACTER', node, `This text contains ${forbidden.name}.`, advice);
    } else if (node.style === 'double' && beyondUnicode(this.#text.slice(node.start, node.end))) {
      this.#refuse('FILE_CHARACTER', node, 'This text escapes a character beyond U+10FFFF.', 'Correct the escape.');
    }
  }
}

/** js-yaml decodes `\U00110000` and above to something else. */
function beyondUnicode(source: string): boolean {
  return source.includes('\\U') && /(?<!\\)(?:\\\\)*\\U(?!000|0010)/.test(source);
}

/** What to do about a plain scalar that is not read as a string. */
export function quoteAdvice(text: string): string {
  return text === '' ? 'Write "" for an empty string.' : 'Put it in double quotes.';
}
