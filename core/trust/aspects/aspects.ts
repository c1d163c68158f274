import type { Subject } from '../../../schemas/trust-policy.ts';
import { type CofferDocument, documentProblems, mayHoldCoffer } from '../../format/document/document.ts';
import type { Side } from '../../git/trees/changes.ts';
import { isFile } from '../../git/trees/tree.ts';
import { isObject, objectOf } from '../../json.ts';
import { labelWithin, nameWithin } from '../names.ts';
import { subjectOfCofferFile } from './coffer-file.ts';

/** One thing that a file says, which somebody may or may not change. */
export interface Aspect {
  /** In a form that is the same wherever it means the same. */
  text: string;
  /** The right to any of these is enough; none: a signature is. */
  subjects: readonly Subject[];
  /** For people: `payments/db spec.readers[api]`. */
  label: string;
  /** What it means where a manifest does not say it: that a new manifest leaves it so is nobody's change. */
  usual?: string;
  /** Of an entry of a manifest. */
  entry?: string;
  /** Of a stanza: the data key that it seals. */
  dataKeyId?: string;
  /** Of a document as a whole: the namespaces, or globs of them, that it asks to be projected into. */
  reach?: readonly string[];
}

/**
 * What a file says, by a name that is unique in the file: `''` for the file itself, else `DOCUMENT\0FIELD`, where the field `''`
 * is that the document is there at all. A document is known by namespace and name, so that its place in the file means nothing.
 */
export type Aspects = ReadonlyMap<string, Aspect>;

/** Between the parts of an aspect's name; no path, and no field of a manifest that is read, can hold it. */
export const SEPARATOR = '\0';

const NOTHING: Aspects = new Map();

/** Of a file that is not there. */
export function noAspects(): Aspects {
  return NOTHING;
}

/** Whether the bytes have to be read to know what the file says. Links and submodules say nothing, as operators do not follow them. */
export function hasContent(path: string, side: Side): boolean {
  return isFile(side) && subjectOfCofferFile(path) === undefined;
}

/**
 * Every file has one aspect that asks for a signature only. Files of `.coffer/` are one thing each. In all others each manifest is
 * taken apart, whether the repository's configuration looks for manifests there or not: that can be changed later. A document
 * that cannot be read is not there; so whoever breaks one needs the right to remove it, and whoever mends it creates it, unless
 * it is then as it was.
 */
export function aspectsOf(path: string, side: Side, bytes: Buffer | undefined): Aspects {
  const identity = `${side.mode}:${side.oid}`;
  const subject = subjectOfCofferFile(path);
  const file: Aspect = { text: identity, subjects: subject === undefined ? [] : [subject], label: 'the file' };
  if (bytes === undefined || !mayHoldCoffer(bytes)) return new Map([['', file]]);
  const aspects = new Map([['', file]]);
  const seen = new Map<string, number>();
  const { text, documents } = documentProblems(bytes, path).documents;
  for (const document of documents) {
    if (document.kind !== 'EncryptedSecret') continue;
    const { id, label } = identityOf(document);
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    new ManifestAspects(aspects, { document, text, id: count === 1 ? id : `${id}#${count}`, label }).read();
  }
  return aspects;
}

function identityOf(document: CofferDocument): { id: string; label: string } {
  const { namespace, name } = objectOf(objectOf(document.value).metadata);
  const label = [namespace, name].map((part) => (typeof part === 'string' ? part : '?')).join('/');
  return { id: nameWithin(canonical([namespace, name])), label: labelWithin(label) };
}

function reachOf(document: CofferDocument): string[] {
  const { metadata, spec } = objectOf(document.value);
  const { namespaces } = objectOf(spec);
  const all = [objectOf(metadata).namespace, ...(Array.isArray(namespaces) ? namespaces : [])];
  return all.filter((name): name is string => typeof name === 'string');
}

type Extra = Pick<Aspect, 'usual' | 'entry' | 'dataKeyId'>;

class ManifestAspects {
  readonly #into: Map<string, Aspect>;
  readonly #document: CofferDocument;
  /** Of the file. */
  readonly #text: string;
  readonly #id: string;
  readonly #label: string;

  constructor(into: Map<string, Aspect>, from: { document: CofferDocument; text: string; id: string; label: string }) {
    this.#into = into;
    this.#document = from.document;
    this.#text = from.text;
    this.#id = from.id;
    this.#label = from.label;
  }

  read(): void {
    const reach = reachOf(this.#document);
    this.#into.set(`${this.#id}${SEPARATOR}`, { text: 'here', subjects: [], label: this.#label, reach });
    const { recipients, readers, scope, namespaces, type, projection, deletionPolicy, rotation, ...others } = objectOf(
      objectOf(this.#document.value).spec,
    );
    const { data, template, keys, ...unknown } = others;
    this.#recipients(recipients);
    this.#readers(readers);
    this.#usual('spec.scope', 'namespaces', [scope ?? 'strict', namespaces ?? []], ['strict', []]);
    this.#usual('spec.type', 'type', [type ?? 'Opaque', projection ?? 'Secret'], ['Opaque', 'Secret']);
    this.#usual('spec.deletionPolicy', 'deletionPolicy', deletionPolicy ?? 'Delete', 'Delete');
    this.#each('spec.rotation', rotation, ['rotation']);
    this.#data(data);
    this.#template(template);
    this.#keys(keys);
    // The schema refuses them, so that nothing of such a manifest counts; they must not come in under a lesser right.
    for (const [name, value] of Object.entries(unknown)) this.#set(`spec!${name}`, ['type'], canonical(value));
  }

  #recipients(value: unknown): void {
    if (!isTexts(value)) {
      this.#whole('spec.recipients', value, ['recipients']);
      return;
    }
    for (const name of value) this.#set(`spec.recipients[${name}]`, ['recipients'], 'listed');
  }

  /** Several rows of one reader add up, so that they are one thing. */
  #readers(value: unknown): void {
    const rows = Array.isArray(value) ? value.map(objectOf) : [];
    if (!Array.isArray(value) || rows.some(({ name }) => typeof name !== 'string')) {
      this.#whole('spec.readers', value, ['readers']);
      return;
    }
    for (const [name, own] of Map.groupBy(rows, (row) => String(row.name))) {
      this.#set(`spec.readers[${name}]`, ['readers'], canonical(own));
    }
  }

  #data(value: unknown): void {
    if (!isObject(value)) {
      this.#whole('spec.data', value, ['values']);
      return;
    }
    for (const [entry, sealed] of Object.entries(value)) {
      this.#set(`spec.data.${entry}`, ['values'], this.#valueText(entry, sealed), { entry });
    }
  }

  /** What is not text (bytes as !!binary) counts as it is written. */
  #valueText(entry: string, value: unknown): string {
    if (typeof value === 'string') return value;
    const at = this.#document.span(['spec', 'data', entry]);
    return at === undefined ? canonical(value) : `written ${this.#text.slice(at.start, at.end)}`;
  }

  #template(value: unknown): void {
    const { data, metadata, ...others } = objectOf(value);
    const { labels, annotations, ...unknown } = objectOf(metadata);
    this.#each('spec.template.data', data, ['template']);
    this.#each('spec.template.metadata.labels', labels, ['template']);
    this.#each('spec.template.metadata.annotations', annotations, ['template']);
    if (Object.keys(others).length > 0 || Object.keys(unknown).length > 0) {
      this.#set('spec.template', ['template'], canonical([others, unknown]));
    }
  }

  #keys(value: unknown): void {
    if (!isObject(value)) {
      this.#whole('spec.keys', value, ['stanzas', 'values']);
      return;
    }
    for (const [id, stanzas] of Object.entries(value)) {
      this.#each(`spec.keys.${nameWithin(id)}`, stanzas, ['stanzas', 'values'], { dataKeyId: id });
    }
  }

  #each(field: string, value: unknown, subjects: readonly Subject[], more: Extra = {}): void {
    if (!isObject(value)) {
      this.#whole(field, value, subjects);
      return;
    }
    for (const [name, item] of Object.entries(value)) this.#set(`${field}.${name}`, subjects, canonical(item), more);
  }

  #whole(field: string, value: unknown, subjects: readonly Subject[]): void {
    if (value !== undefined) this.#set(field, subjects, canonical(value));
  }

  #usual(field: string, subject: Subject, value: unknown, usual: unknown): void {
    this.#set(field, [subject], canonical(value), { usual: canonical(usual) });
  }

  #set(field: string, subjects: readonly Subject[], text: string, more: Extra = {}): void {
    const label = labelWithin(`${this.#label} ${field}`);
    this.#into.set(`${this.#id}${SEPARATOR}${field}`, { text, subjects, label, ...more });
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** JSON with the fields of objects in order. Symbols (core/format/document/strictness.ts) become null: such a document is refused anyway. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : (item ?? null),
  );
}
