import { posix } from 'node:path';
import { SCHEMA_BASE } from '../../schemas/grammar.ts';
import type { Request as RequestDocument } from '../../schemas/request.ts';
import { blake2b } from '../crypto/blake2b.ts';
import { pae } from '../crypto/pae.ts';
import { Bug, CofferError } from '../errors.ts';
import { readDocuments } from '../format/document/document.ts';
import { schemaProblems } from '../format/document/document-schema.ts';
import { nameText } from '../format/document/scalar-text.ts';
import { identityText, parseIdentity } from '../keys/key-texts.ts';

/** Relative to the root of the repository. */
export const REQUESTS_FOLDER = '.coffer/requests';

/** A person's committed wish (docs/format.md, "Requests"). */
export type Request = JoinRequest | EndorseRequest | RotateRequest | RetireRequest;

/** That operators take a commit which they hold back. */
export interface EndorseRequest {
  kind: 'endorse';
  /** The name of its file. */
  id: string;
  /** What the endorser stands for, 40 hex digits. */
  commit: string;
  /** Commits of the former branch that are given up. */
  abandons: readonly string[];
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
}

/** That a recipient can open what another can. */
export interface JoinRequest {
  kind: 'join';
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

/** That the operator of a cluster makes a new key. */
export interface RotateRequest {
  kind: 'rotate';
  /** The name of its file: made of recipient and key, so that the same wish is the same file. */
  id: string;
  recipient: string;
  /** The newest key at that time: once the recipient has a newer one, the wish is fulfilled. */
  key: string;
  /** The key is in the wrong hands. */
  revoke: boolean;
  /** One line of at most 500 characters. */
  reason?: string;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
}

/** That the operator of a cluster deletes a secret key. */
export interface RetireRequest {
  kind: 'retire';
  /** The name of its file: made of recipient and key. */
  id: string;
  recipient: string;
  /** A key that is retired or revoked. */
  key: string;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
}

export function joinRequest(wanted: Omit<JoinRequest, 'id' | 'kind'>): JoinRequest {
  const { recipient, identity, like, created } = wanted;
  const digest = blake2b(16, pae('coffer/v1/join', recipient, identityText(identity), like)).toString('hex');
  return { kind: 'join', id: `join-${digest.slice(0, 16)}`, recipient, identity, like, created };
}

export function endorseRequest(wanted: Omit<EndorseRequest, 'id' | 'kind'>): EndorseRequest {
  return { kind: 'endorse', id: `endorse-${wanted.commit.slice(0, 16)}`, ...wanted };
}

export function rotateRequest(wanted: Omit<RotateRequest, 'id' | 'kind'>): RotateRequest {
  return { kind: 'rotate', id: rotateRequestId(wanted.recipient, wanted.key), ...wanted };
}

/** Of the request for a successor of a key. */
export function rotateRequestId(recipient: string, kid: string): string {
  return `rotate-${recipient}-${kid.slice(0, 16)}`;
}

export function retireRequest(wanted: Omit<RetireRequest, 'id' | 'kind'>): RetireRequest {
  return { kind: 'retire', id: `retire-${wanted.recipient}-${wanted.key.slice(0, 16)}`, ...wanted };
}

export function requestFile(id: string): string {
  return `${REQUESTS_FOLDER}/${id}.yaml`;
}

/** Whether this path, from the root, is one that a request is read from. */
export function isRequestPath(path: string): boolean {
  return posix.dirname(path) === REQUESTS_FOLDER && path.endsWith('.yaml');
}

/** @returns YAML with a final newline. */
export function renderRequest(request: Request): string {
  return `${[
    `# yaml-language-server: $schema=${SCHEMA_BASE}/request.schema.json`,
    'apiVersion: coffer.dev/v1',
    'kind: Request',
    `metadata: {name: ${request.id}}`,
    'spec:',
    `  created: "${request.created}"`,
    ...wishLines(request),
  ].join('\n')}\n`;
}

function wishLines(request: Request): string[] {
  switch (request.kind) {
    case 'join':
      return joinLines(request);
    case 'endorse':
      return endorseLines(request);
    case 'rotate':
      return rotateLines(request);
    case 'retire':
      return ['  retire:', ...keyLines(request)];
  }
}

function joinLines({ recipient, identity, like }: JoinRequest): string[] {
  return [
    '  join:',
    `    recipient: ${nameText(recipient)}`,
    `    identity: ${identityText(identity)}`,
    `    like: ${nameText(like)}`,
  ];
}

function endorseLines({ commit, abandons }: EndorseRequest): string[] {
  const given = abandons.length === 0 ? [] : ['    abandons:', ...abandons.map((oid) => `      - "${oid}"`)];
  return ['  endorse:', `    commit: "${commit}"`, ...given];
}

function rotateLines({ revoke, reason, ...request }: RotateRequest): string[] {
  return [
    '  rotate:',
    ...keyLines(request),
    ...(revoke ? ['    revoke: true'] : []),
    ...(reason === undefined ? [] : [`    reason: ${JSON.stringify(reason)}`]),
  ];
}

function keyLines({ recipient, key }: { recipient: string; key: string }): string[] {
  return [`    recipient: ${nameText(recipient)}`, `    key: "${key}"`];
}

/** @throws CofferError REQUEST_FILE, DOCUMENT_*, KEY_TEXT_* */
export function readRequest(bytes: Uint8Array, file: string): Request {
  const [document, ...others] = readDocuments(bytes, file).documents;
  if (document?.kind !== 'Request' || others.length > 0) throw wrongFile(file, 'one document, of kind Request');
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  const { metadata, spec } = document.value as RequestDocument;
  const { line, column } = document.position(['spec', 'join', 'identity']);
  try {
    const request = requestOf(spec);
    if (metadata.name === request.id && posix.basename(file) === `${request.id}.yaml`) return request;
    throw wrongFile(file, `the request ${request.id}, which its name and metadata.name must say`);
  } catch (error) {
    throw error instanceof CofferError ? error.at({ file, line, column }) : error;
  }
}

function requestOf({ created, join, endorse, rotate, retire }: RequestDocument['spec']): Request {
  if (join !== undefined) return joinRequest({ ...join, identity: parseIdentity(join.identity), created });
  if (endorse !== undefined)
    return endorseRequest({ commit: endorse.commit, abandons: endorse.abandons ?? [], created });
  if (rotate !== undefined) return rotateRequest({ ...rotate, revoke: rotate.revoke ?? false, created });
  if (retire !== undefined) return retireRequest({ ...retire, created });
  throw new Bug('the schema asks for one wish');
}

function wrongFile(file: string, what: string): CofferError {
  return new CofferError('REQUEST_FILE', `a file of ${REQUESTS_FOLDER} holds ${what}`, {
    advice:
      'Remove it, and ask again with the command that wrote it (`coffer recipients add`, `rotate` or `retire`, `coffer endorse`).',
    data: { file },
  });
}
