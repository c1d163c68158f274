import { Bug, type CofferError } from '../errors.ts';
import type { Binding } from './binding.ts';
import type { CofferDocument, DocumentFile } from './document.ts';
import type { TemplatePart } from './template.ts';

export type Entry =
  | { kind: 'sealed'; text: string; dataKeyId: string; line: number }
  | { kind: 'plaintext'; bytes: Buffer; line: number };

/** A workload of the manifest's namespace that may read it; `*` is any. `entries` absent: all of them. */
export interface Reader {
  name: string;
  entries?: ReadonlySet<string>;
}

export interface Stanza {
  kid: string;
  /** `KID:b64u`. */
  text: string;
  line: number;
}

export interface Manifest {
  file: string;
  index: number;
  line: number;
  namespace: string;
  name: string;
  binding: Binding;
  recipients: readonly string[];
  namespaces: readonly string[];
  /** Several rows of one reader are merged. */
  readers: readonly Reader[];
  type: string;
  deletionPolicy: 'Delete' | 'Retain';
  entries: ReadonlyMap<string, Entry>;
  /** Data key id → recipient → stanza. */
  stanzas: ReadonlyMap<string, ReadonlyMap<string, Stanza>>;
  template: {
    data: ReadonlyMap<string, readonly TemplatePart[]>;
    labels: ReadonlyMap<string, string>;
    annotations: ReadonlyMap<string, string>;
  };
  document: CofferDocument;
}

export interface ManifestFile {
  file: string;
  text: string;
  syntax: 'yaml' | 'json';
  documents: DocumentFile;
  manifests: Manifest[];
}

/** Throws the first problem as a CofferError. A file without coffer documents has no manifests. */
export function readManifestFile(_bytes: Uint8Array, _file: string): ManifestFile {
  throw new Bug('not written yet');
}

/** Every problem of a file; a bad document does not hide the others. */
export function manifestProblems(_bytes: Uint8Array, _file: string): { file?: ManifestFile; problems: CofferError[] } {
  throw new Bug('not written yet');
}
