import { Bug } from '../errors.ts';

export type Kind = 'EncryptedSecret' | 'Recipient' | 'Config' | 'Request' | 'OperatorConfig';
/** Field names and list positions from the root of a document. */
export type Path = readonly (string | number)[];

/** Lines and columns count from 1; the offset from 0, in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
  offset: number;
}

export interface CofferDocument {
  kind: Kind;
  /** Plain data: null-prototype objects, arrays, strings, numbers, booleans, null, and Buffers (`!!binary`). */
  value: unknown;
  /** Which document of the file, foreign ones counted, from 0. */
  index: number;
  file: string;
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

/** Cheap: false only if the bytes hold no coffer document. */
export function mayHoldCoffer(_bytes: Uint8Array): boolean {
  throw new Bug('not written yet');
}

/** The coffer documents of a file; none (and no error) for a file that is not coffer's. Throws CofferError. */
export function readDocuments(_bytes: Uint8Array, _file: string): DocumentFile {
  throw new Bug('not written yet');
}
