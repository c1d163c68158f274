/** From a file's bytes to manifests (manifest.ts), refusing what docs/format.md, "A manifest", refuses. */
import type { EncryptedSecret } from '../../../schemas/encrypted-secret.ts';
import { CofferError, type ErrorData } from '../../errors.ts';
import { binaryBytes } from '../document/binary-scalar.ts';
import { type CofferDocument, documentProblems } from '../document/document.ts';
import { schemaProblems } from '../document/document-schema.ts';
import { field, type Node, type Path } from '../document/node.ts';
import { isAmbiguousPlain } from '../document/plain-scalar.ts';
import { quoteAdvice } from '../document/strictness.ts';
import { parseStanza } from '../sealed/stanza.ts';
import { looksSealed, parseSealedValue } from '../sealed/value.ts';
import type { Entry, Manifest, ManifestFile, Reader, Stanza } from './manifest.ts';
import { type EntryRotation, rotationsOf } from './rotation.ts';
import { rotationProblems } from './rotation-problems.ts';
import { parseTemplate, type TemplatePart, templateEntries } from './template.ts';

/** Kubernetes itself fills in Secrets of these types: whoever could write one would be given a token. */
const REFUSED_TYPES: readonly string[] = ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'];

/** Throws the first problem as a CofferError. A file without coffer documents has no manifests. */
export function readManifestFile(bytes: Uint8Array, file: string): ManifestFile {
  const { file: read, problems } = manifestProblems(bytes, file);
  const [first] = problems;
  if (first !== undefined) throw first;
  return read;
}

/** Every problem of a file; `file` holds the manifests that have none. */
export function manifestProblems(bytes: Uint8Array, file: string): { file: ManifestFile; problems: CofferError[] } {
  const { documents, problems } = documentProblems(bytes, file);
  const manifests: Manifest[] = [];
  for (const document of documents.documents) {
    if (document.kind !== 'EncryptedSecret') continue;
    const { manifest, problems: found } = readManifest(document);
    problems.push(...found);
    if (manifest !== undefined) manifests.push(manifest);
  }
  const { text, syntax } = documents;
  return { file: { file, text, syntax, documents, manifests }, problems };
}

function readManifest(document: CofferDocument): { manifest?: Manifest; problems: CofferError[] } {
  const problems = schemaProblems(document);
  const reader = new ManifestReader(document);
  if (problems.length > 0) {
    reader.entries();
    return { problems: [...problems, ...reader.problems] };
  }
  const manifest = reader.manifest();
  return reader.problems.length > 0 ? { problems: reader.problems } : { manifest, problems: [] };
}

class ManifestReader {
  readonly problems: CofferError[] = [];
  readonly #document: CofferDocument;

  constructor(document: CofferDocument) {
    this.#document = document;
  }

  /** Only for a document that its schema allows. */
  manifest(): Manifest {
    const document = this.#document;
    const { metadata, spec } = document.value as EncryptedSecret;
    const { namespace, name } = metadata;
    const scope = spec.scope ?? 'strict';
    this.#checkType(spec.type);
    this.#checkNamespaces(spec);
    const entries = this.entries();
    return {
      file: document.file,
      index: document.index,
      line: document.position([]).line,
      namespace,
      name,
      binding: { scope, namespace, name },
      recipients: spec.recipients,
      namespaces: spec.namespaces ?? [],
      readers: mergedReaders(spec.readers),
      type: spec.type ?? 'Opaque',
      deletionPolicy: spec.deletionPolicy ?? 'Delete',
      projection: spec.projection ?? 'Secret',
      entries,
      stanzas: this.#stanzas(),
      template: {
        data: this.#template(entries),
        labels: this.#templateMetadata('labels', spec.template?.metadata?.labels),
        annotations: this.#templateMetadata('annotations', spec.template?.metadata?.annotations),
      },
      rotation: this.#rotation(spec),
      document,
    };
  }

  entries(): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    const data = field(field(this.#document.root, 'spec'), 'data');
    if (data?.kind !== 'mapping') return entries;
    for (const { key, value } of data.pairs) {
      if (key.kind !== 'scalar') continue;
      const entry = this.#entry(key.text, value, this.#document.lines.place(key.start).line);
      if (entry !== undefined) entries.set(key.text, entry);
    }
    return entries;
  }

  #entry(name: string, node: Node, line: number): Entry | undefined {
    const data = { ...this.#place(node.start), entry: name };
    if (node.kind !== 'scalar') {
      const advice = 'Write a string, or bytes as !!binary.';
      this.#refuse('MANIFEST_VALUE', `The value of ${name} is not a string.`, advice, data);
      return undefined;
    }
    if (node.tag !== undefined) {
      if (node.tag.text !== '!!binary') return undefined; // reported with the document
      const bytes = binaryBytes(node.text);
      if (bytes !== undefined) return { kind: 'plaintext', bytes, line };
      const advice = 'Write standard base64 with padding.';
      this.#refuse('MANIFEST_BINARY', `The value of ${name} is not base64.`, advice, data);
      return undefined;
    }
    if (node.style === 'plain' && isAmbiguousPlain(node.text)) {
      const message = `YAML 1.1 or 1.2 reads the value of ${name} as something else than a string.`;
      this.#refuse('DOCUMENT_AMBIGUOUS', message, quoteAdvice(node.text), data);
      return undefined;
    }
    if (!looksSealed(node.text)) return { kind: 'plaintext', bytes: Buffer.from(node.text, 'utf8'), line };
    const { text } = node;
    const parsed = this.#attempt(() => parseSealedValue(text), data);
    return parsed === undefined ? undefined : { kind: 'sealed', text, dataKeyId: parsed.dataKeyId, line };
  }

  #stanzas(): Map<string, Map<string, Stanza>> {
    const stanzas = new Map<string, Map<string, Stanza>>();
    const keys = field(field(this.#document.root, 'spec'), 'keys');
    if (keys?.kind !== 'mapping') return stanzas;
    for (const { key: dataKey, value: recipients } of keys.pairs) {
      if (dataKey.kind !== 'scalar' || recipients.kind !== 'mapping') continue;
      const byRecipient = new Map<string, Stanza>();
      stanzas.set(dataKey.text, byRecipient);
      for (const { key, value } of recipients.pairs) {
        if (key.kind !== 'scalar' || value.kind !== 'scalar') continue;
        const data = { ...this.#place(value.start), recipient: key.text, dataKeyId: dataKey.text };
        const parsed = this.#attempt(() => parseStanza(value.text), data);
        if (parsed !== undefined)
          byRecipient.set(key.text, { kid: parsed.kid, text: value.text, line: data.line ?? 0 });
      }
    }
    return stanzas;
  }

  #template(entries: ReadonlyMap<string, Entry>): Map<string, readonly TemplatePart[]> {
    const templates = new Map<string, readonly TemplatePart[]>();
    const data = field(field(field(this.#document.root, 'spec'), 'template'), 'data');
    if (data?.kind !== 'mapping') return templates;
    for (const { key, value } of data.pairs) {
      if (key.kind !== 'scalar' || value.kind !== 'scalar') continue;
      const place = { ...this.#place(value.start), entry: key.text };
      if (entries.has(key.text)) {
        const message = `${key.text} stands in data and in template.data.`;
        this.#refuse('TEMPLATE_NAME_TAKEN', message, 'Rename one of the two.', place);
      }
      const parts = this.#attempt(() => parseTemplate(value.text), place);
      if (parts === undefined) continue;
      templates.set(key.text, parts);
      for (const entry of templateEntries(parts)) {
        if (entries.has(entry)) continue;
        const message = `The template ${key.text} names the entry ${entry}, which data does not have.`;
        this.#refuse('TEMPLATE_UNKNOWN_ENTRY', message, 'Add the entry to data, or correct its name.', place);
      }
    }
    return templates;
  }

  #templateMetadata(kind: 'labels' | 'annotations', texts: Readonly<Record<string, string>> = {}): Map<string, string> {
    for (const [key, value] of Object.entries(texts)) {
      const data = this.#placeOf(['spec', 'template', 'metadata', kind, key]);
      if (key.includes('${') || value.includes('${')) {
        const advice = 'Only template.data is substituted; write the text as it should be.';
        this.#refuse('TEMPLATE_METADATA', 'template.metadata holds a placeholder.', advice, data);
      }
      if (isReservedKey(key)) {
        const advice = 'Keys under kubernetes.io, k8s.io and coffer.dev are not yours to set: remove it.';
        this.#refuse('TEMPLATE_METADATA', 'template.metadata holds a reserved key.', advice, data);
      }
    }
    return new Map(Object.entries(texts));
  }

  #rotation({ rotation, template }: EncryptedSecret['spec']): Map<string, EntryRotation> {
    const rows = rotationsOf(rotation);
    const templates = new Set(Object.keys(template?.data ?? {}));
    for (const { entry, code, message, advice } of rotationProblems(rows, templates)) {
      this.#refuse(code, message, advice, { ...this.#placeOf(['spec', 'rotation', entry]), entry });
    }
    return rows;
  }

  #checkType(type: string | undefined): void {
    if (type === undefined || !REFUSED_TYPES.includes(type)) return;
    const advice = 'Use another type; these are for Kubernetes itself to write.';
    this.#refuse('MANIFEST_TYPE', `Secrets of type ${type} are refused.`, advice, this.#placeOf(['spec', 'type']));
  }

  #checkNamespaces({ scope, namespaces }: EncryptedSecret['spec']): void {
    if (namespaces === undefined || scope === 'cluster') return;
    const advice = 'Write scope: cluster (and seal the values again), or remove namespaces.';
    const data = this.#placeOf(['spec', 'namespaces']);
    this.#refuse('MANIFEST_NAMESPACES', 'Only a manifest of scope cluster may list namespaces.', advice, data);
  }

  /** Runs a parser; what it throws becomes a problem of this place. */
  #attempt<T>(parse: () => T, data: ErrorData): T | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof CofferError)) throw error;
      this.problems.push(error.at(data));
      return undefined;
    }
  }

  #placeOf(path: Path): ErrorData {
    return this.#place(this.#document.position(path).offset);
  }

  #place(offset: number): ErrorData {
    return { file: this.#document.file, ...this.#document.lines.place(offset) };
  }

  #refuse(code: string, message: string, advice: string, data: ErrorData): void {
    this.problems.push(new CofferError(code, message, { advice, data }));
  }
}

/** Several rows of one reader add up; a row without entries gives it all of them. */
function mergedReaders(rows: EncryptedSecret['spec']['readers']): Reader[] {
  const readers = new Map<string, Reader>();
  for (const { name, entries } of rows) {
    const before = readers.get(name);
    if (entries === undefined || (before !== undefined && before.entries === undefined)) readers.set(name, { name });
    else readers.set(name, { name, entries: new Set([...(before?.entries ?? []), ...entries]) });
  }
  return [...readers.values()];
}

/** Label and annotation keys that Kubernetes or coffer give a meaning. */
function isReservedKey(key: string): boolean {
  const [prefix = '', rest] = key.toLowerCase().split('/');
  if (rest === undefined) return false;
  return ['kubernetes.io', 'k8s.io', 'coffer.dev'].some((domain) => prefix === domain || prefix.endsWith(`.${domain}`));
}
