import type { CofferDocument, DocumentFile } from '../document/document.ts';
import type { Binding } from '../sealed/binding.ts';
import type { EntryRotation } from './rotation.ts';
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

/** A manifest as docs/format.md, "A manifest", describes it, with defaults filled in. */
export interface Manifest {
  file: string;
  /** Which document of the file it is, foreign ones counted, from 0. */
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
  /** What Kubernetes makes of it: a Secret, or nothing but volumes, so that the values never reach etcd. */
  projection: 'Secret' | 'Volume';
  entries: ReadonlyMap<string, Entry>;
  /** Data key id → recipient → stanza. */
  stanzas: ReadonlyMap<string, ReadonlyMap<string, Stanza>>;
  template: {
    data: ReadonlyMap<string, readonly TemplatePart[]>;
    labels: ReadonlyMap<string, string>;
    annotations: ReadonlyMap<string, string>;
  };
  /** Entry → how its value is made anew. */
  rotation: ReadonlyMap<string, EntryRotation>;
  document: CofferDocument;
}

export interface ManifestFile {
  file: string;
  text: string;
  syntax: 'yaml' | 'json';
  documents: DocumentFile;
  manifests: Manifest[];
}

/** The ciphertext of an entry; undefined: it is not there, or not sealed. */
export function sealedText({ entries }: Pick<Manifest, 'entries'>, entry: string): string | undefined {
  const value = entries.get(entry);
  return value?.kind === 'sealed' ? value.text : undefined;
}
