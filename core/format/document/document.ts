/** Which documents of a file are coffer's, and what stands where in them: docs/format.md, "Files and strings". */
import { API_VERSION, LIMITS } from '../../../schemas/grammar.ts';
import { CofferError, type ErrorData } from '../../errors.ts';
import { CofferObjects } from './coffer-objects.ts';
import { splitDocuments } from './document-split.ts';
import { jsonNodes } from './json-nodes.ts';
import { Lines } from './lines.ts';
import { type MappingNode, type Node, nearestNode, nodeAt, type Path } from './node.ts';
import { NodeSyntaxError } from './node-syntax-error.ts';
import { sourceText, utf16Of } from './source-text.ts';
import { strictValue } from './strictness.ts';
import { yamlNodes } from './yaml-nodes.ts';

export const KINDS = ['EncryptedSecret', 'Recipient', 'Config', 'Request', 'OperatorConfig', 'TrustPolicy'] as const;
export type Kind = (typeof KINDS)[number];

/** Deeper than anything that Kubernetes writes under `metadata`. */
const MAX_DEPTH = 64;

/** Lines and columns count from 1; the offset from 0, in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
  offset: number;
}

export interface CofferDocument {
  kind: Kind;
  /** Plain data: null-prototype objects, arrays, strings, numbers, booleans, null; symbols for what is none of these. */
  value: unknown;
  /** Which document of the file, foreign ones counted, from 0. */
  index: number;
  file: string;
  /** Where it begins and ends in the file's text. */
  start: number;
  end: number;
  root: MappingNode;
  lines: Lines;
  /** Of the deepest node on the path that exists. */
  position(path: Path): Position;
  span(path: Path): { start: number; end: number } | undefined;
}

export interface DocumentFile {
  file: string;
  text: string;
  syntax: 'yaml' | 'json';
  documents: CofferDocument[];
}

/** Cheap: false only if the bytes hold no coffer document. Without a backslash nothing can be escaped. */
export function mayHoldCoffer(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.includes('coffer.dev/') || buffer.includes('\\') || utf16Of(buffer) !== undefined;
}

/** The coffer documents of a file; none (and no error) for a file that is not coffer's. Throws the first problem. */
export function readDocuments(bytes: Uint8Array, file: string): DocumentFile {
  const { documents, problems } = documentProblems(bytes, file);
  const [first] = problems;
  if (first !== undefined) throw first;
  return documents;
}

/** What `readDocuments` gives, with every problem: a document that is refused does not hide the others. */
export function documentProblems(
  bytes: Uint8Array,
  file: string,
): { documents: DocumentFile; problems: CofferError[] } {
  const none: DocumentFile = { file, text: '', syntax: 'yaml', documents: [] };
  if (!mayHoldCoffer(bytes)) return { documents: { ...none, text: Buffer.from(bytes).toString('utf8') }, problems: [] };
  let text: string;
  try {
    text = sourceText(bytes, file);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    const lossy = new TextDecoder(utf16Of(bytes) ?? 'utf-8').decode(bytes);
    return { documents: { ...none, text: lossy }, problems: claimsCoffer(lossy) ? [error] : [] };
  }
  return new DocumentReader(text, file).read();
}

/** Whether a text that cannot be parsed looks as if it were meant for coffer. */
function claimsCoffer(text: string): boolean {
  return /(?:^|[\s{,"'])apiVersion["']?\s*:\s*["']?coffer\.dev\//.test(text);
}

class DocumentReader {
  readonly #text: string;
  readonly #file: string;
  readonly #lines: Lines;
  readonly #syntax: 'json' | 'yaml';
  readonly #documents: CofferDocument[] = [];
  readonly #problems: CofferError[] = [];
  #holdsCoffer = false;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.#lines = new Lines(text);
    this.#syntax = /^[ \t\r\n]*\{/.test(text) ? 'json' : 'yaml';
  }

  read(): { documents: DocumentFile; problems: CofferError[] } {
    const syntax = this.#syntax;
    const marker = /^<{7} .*$/m.exec(this.#text);
    if (marker !== null && /^>{7} /m.test(this.#text) && claimsCoffer(this.#text)) {
      const advice = 'Run `coffer resolve` on it, or resolve the conflict by hand.';
      this.#refuse('FILE_CONFLICT_MARKERS', marker.index, 'The file contains conflict markers.', advice);
    } else if (syntax === 'json') {
      this.#stretch(0, this.#text.length, 0, (text) => jsonNodes(text, MAX_DEPTH));
    } else {
      this.#yaml();
    }
    const documents: DocumentFile = { file: this.#file, text: this.#text, syntax, documents: this.#documents };
    return { documents, problems: this.#problems };
  }

  #yaml(): void {
    const { stretches, directive } = splitDocuments(this.#text);
    for (const [index, { start, end }] of stretches.entries()) {
      this.#stretch(start, end, index, (text) => yamlNodes(text, MAX_DEPTH, start));
    }
    if (!this.#holdsCoffer || directive === undefined) return;
    const advice = 'Remove the line, or move the documents of coffer to a file of their own.';
    this.#refuse('DOCUMENT_DIRECTIVE', directive, 'A YAML directive stands in a file of coffer documents.', advice);
  }

  #stretch(start: number, end: number, index: number, parse: (text: string) => Node | undefined): void {
    const text = this.#text.slice(start, end);
    if (!text.includes('coffer.dev/') && !text.includes('\\')) return;
    const root = this.#parsed(text, parse);
    if (root === undefined) return;
    const objects = new CofferObjects(root);
    if (root.kind === 'mapping' && objects.isNamed(root)) {
      this.#holdsCoffer = true;
      this.#document(root, objects, { start, end, index });
      return;
    }
    for (const nested of objects.all()) {
      const advice = 'Make it a document of its own.';
      this.#refuse('DOCUMENT_NESTED', nested.start, 'A coffer object stands inside another object.', advice);
    }
  }

  #parsed(text: string, parse: (text: string) => Node | undefined): Node | undefined {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof NodeSyntaxError)) throw error;
      if (claimsCoffer(text)) {
        const advice = 'Correct the line, or add the file to `ignore` in .coffer/config.yaml if it is a template.';
        this.#refuse('FILE_SYNTAX', error.offset, `The document cannot be read: ${error.message}.`, advice);
      }
      return undefined;
    }
  }

  #document(root: MappingNode, objects: CofferObjects, where: { start: number; end: number; index: number }): void {
    const { start, end } = where;
    if (Buffer.byteLength(this.#text.slice(start, end)) > LIMITS.documentBytes) {
      const advice = 'Split it into several manifests.';
      this.#refuse('DOCUMENT_TOO_LARGE', root.start, 'The document is larger than 1 MiB.', advice);
      return;
    }
    this.#refuseOtherLineEnds(start, end);
    const { value, problems } = strictValue(root, objects, this.#text, (offset) => this.#place(offset));
    this.#problems.push(...problems);
    const kind = this.#kindOf(root, value as Record<string, unknown>);
    if (kind === undefined) return;
    const position = (path: Path) => {
      const offset = nearestNode(root, path).start;
      return { ...this.#lines.place(offset), offset };
    };
    const span = (path: Path) => nodeAt(root, path);
    const place = { ...where, file: this.#file, lines: this.#lines };
    this.#documents.push({ kind, value, ...place, root, position, span });
  }

  /** To a reader of YAML 1.1 a line ends there, so that it sees other scalars, or fields where others see a comment. */
  #refuseOtherLineEnds(start: number, end: number): void {
    const at = this.#syntax === 'yaml' ? this.#text.slice(start, end).search(/[\u0085\u2028\u2029]/) : -1;
    if (at === -1) return;
    const advice = 'Remove it, or write it in double quotes as \\u0085, \\u2028 or \\u2029.';
    const message = 'A line end of YAML 1.1 stands here, which is none in YAML 1.2.';
    this.#refuse('FILE_CHARACTER', start + at, message, advice);
  }

  #kindOf(root: MappingNode, { apiVersion, kind }: Record<string, unknown>): Kind | undefined {
    if (apiVersion !== API_VERSION) {
      const offset = nearestNode(root, ['apiVersion']).start;
      this.#refuse('DOCUMENT_VERSION', offset, 'This version is not known.', `Write apiVersion: ${API_VERSION}.`);
      return undefined;
    }
    const known = KINDS.find((candidate) => candidate === kind);
    if (known === undefined) {
      const advice = `Use one of ${KINDS.join(', ')}.`;
      this.#refuse('DOCUMENT_KIND', nearestNode(root, ['kind']).start, 'This kind is not known.', advice);
    }
    return known;
  }

  #place(offset: number): ErrorData {
    return { file: this.#file, ...this.#lines.place(offset) };
  }

  #refuse(code: string, offset: number, message: string, advice: string): void {
    this.#problems.push(new CofferError(code, message, { advice, data: this.#place(offset) }));
  }
}
