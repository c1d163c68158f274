import { posix } from 'node:path';
import { SCHEMA_BASE } from '../../schemas/grammar.ts';
import type { Request as RequestDocument } from '../../schemas/request.ts';
import { blake2b } from '../crypto/blake2b.ts';
import { pae } from '../crypto/pae.ts';
import { CofferError } from '../errors.ts';
import { readDocuments } from '../format/document/document.ts';
import { schemaProblems } from '../format/document/document-schema.ts';
import { nameText } from '../format/document/scalar-text.ts';
import { identityText, parseIdentity } from '../keys/key-texts.ts';

/** Relative to the root of the repository. */
export const REQUESTS_FOLDER = '.coffer/requests';

/** A person's committed wish that a recipient can open what another can (docs/format.md, "Requests"). */
export interface JoinRequest {
  /** The name of its file: made of what it asks for, so that the same wish is the same file. */
  id: string;
  /** Who is to open it. */
  recipient: string;
  /** Ed25519 public key, 32 bytes: as the person confirmed it. */
  identity: Buffer;
  /** The recipient whose manifests it is to open. */
  like: string;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
}

export function joinRequest(wanted: Omit<JoinRequest, 'id'>): JoinRequest {
  const { recipient, identity, like, created } = wanted;
  const digest = blake2b(16, pae('coffer/v1/join', recipient, identityText(identity), like)).toString('hex');
  return { id: `join-${digest.slice(0, 16)}`, recipient, identity, like, created };
}

export function requestFile(id: string): string {
  return `${REQUESTS_FOLDER}/${id}.yaml`;
}

/** Whether this path, from the root, is one that a request is read from. */
export function isRequestPath(path: string): boolean {
  return posix.dirname(path) === REQUESTS_FOLDER && path.endsWith('.yaml');
}

/** @returns YAML with a final newline. */
export function renderRequest({ id, recipient, identity, like, created }: JoinRequest): string {
  return `${[
    `# yaml-language-server: $schema=${SCHEMA_BASE}/request.schema.json`,
    'apiVersion: coffer.dev/v1',
    'kind: Request',
    `metadata: {name: ${id}}`,
    'spec:',
    `  created: "${created}"`,
    '  join:',
    `    recipient: ${nameText(recipient)}`,
    `    identity: ${identityText(identity)}`,
    `    like: ${nameText(like)}`,
  ].join('\n')}\n`;
}

/** @throws CofferError REQUEST_FILE, DOCUMENT_*, KEY_TEXT_* */
export function readRequest(bytes: Uint8Array, file: string): JoinRequest {
  const [document, ...others] = readDocuments(bytes, file).documents;
  if (document?.kind !== 'Request' || others.length > 0) throw wrongFile(file, 'one document, of kind Request');
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  const { metadata, spec } = document.value as RequestDocument;
  const { line, column } = document.position(['spec', 'join', 'identity']);
  try {
    const identity = parseIdentity(spec.join.identity);
    const request = joinRequest({ ...spec.join, identity, created: spec.created });
    if (metadata.name === request.id && posix.basename(file) === `${request.id}.yaml`) return request;
    throw wrongFile(file, `the request ${request.id}, which its name and metadata.name must say`);
  } catch (error) {
    throw error instanceof CofferError ? error.at({ file, line, column }) : error;
  }
}

function wrongFile(file: string, what: string): CofferError {
  return new CofferError('REQUEST_FILE', `a file of ${REQUESTS_FOLDER} holds ${what}`, {
    advice: 'Remove it, and ask again with `coffer recipients add`.',
    data: { file },
  });
}
