import { basename } from 'node:path';
import type { Recipient as RecipientDocument } from '../../schemas/recipient.ts';
import { CofferError } from '../errors.ts';
import { type CofferDocument, readDocuments } from '../format/document/document.ts';
import { schemaProblems } from '../format/document/document-schema.ts';
import type { Path } from '../format/document/node.ts';
import { parseStanza } from '../format/sealed/stanza.ts';
import { verifyEndorsement } from './endorsement.ts';
import { keyId } from './key-id.ts';
import { parseIdentity, parsePublicKey } from './key-texts.ts';

/** A file of the keyring, `.coffer/recipients/NAME.yaml` (docs/format.md, "Recipients"), and all that it must keep to. */

export type RecipientType = 'cluster' | 'group' | 'person' | 'recovery';
export type KeyStatus = 'active' | 'retired' | 'revoked';

export interface RecipientKey {
  kid: string;
  /** retired and revoked keys still open. */
  status: KeyStatus;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
  /** 1,216 bytes. */
  publicKey: Buffer;
  /** base64url of the identity's signature. */
  endorsement: string;
  /** Of a group's key: its seed, sealed to each member. */
  seeds: ReadonlyMap<string, { kid: string; text: string }>;
}

export interface Recipient {
  name: string;
  type: RecipientType;
  /** Ed25519 public key, 32 bytes: what people pin. */
  identity: Buffer;
  /** Newest first. */
  keys: readonly RecipientKey[];
  /** Of a group; else empty. */
  members: readonly string[];
  rotationEvery?: string;
  file: string;
}

const STATUS_ORDER: readonly KeyStatus[] = ['active', 'retired', 'revoked'];

/** Statuses only go one way, steps may be skipped (docs/format.md, "Recipients, keys and pins"). */
export function hasGoneBack(before: KeyStatus, after: KeyStatus): boolean {
  return STATUS_ORDER.indexOf(after) < STATUS_ORDER.indexOf(before);
}

/** The key that new stanzas are sealed to, if there is one. */
export function activeKey(recipient: Recipient): RecipientKey | undefined {
  return recipient.keys.find((key) => key.status === 'active');
}

/**
 * Reads a file of the keyring. What it gives is consistent and endorsed by the identity that it names; whether that
 * identity is to be trusted is for the pins to say.
 *
 * @throws CofferError RECIPIENT_FILE, RECIPIENT_FILE_NAME, DOCUMENT_*, RECIPIENT_CREATED, RECIPIENT_KEY_ID,
 * RECIPIENT_KEY_TWICE, RECIPIENT_KEY_ORDER, RECIPIENT_STATUS_BACK, RECIPIENT_TWO_ACTIVE, RECIPIENT_ENDORSEMENT,
 * RECIPIENT_GROUP, RECIPIENT_NOT_GROUP, KEY_TEXT_*
 */
export function readRecipient(bytes: Uint8Array, file: string): Recipient {
  const document = onlyDocument(readDocuments(bytes, file).documents, file);
  const { metadata, spec } = conforming(document);
  if (basename(file) !== `${metadata.name}.yaml`) {
    throw new CofferError('RECIPIENT_FILE_NAME', `this file is not named after its recipient, ${metadata.name}`, {
      advice: `Name it ${metadata.name}.yaml, or correct metadata.name.`,
      data: { ...placeOf(document, ['metadata', 'name']), recipient: metadata.name },
    });
  }
  const name = metadata.name;
  const identity = inPlace(document, name, ['spec', 'identity'], () => parseIdentity(spec.identity));
  const keys = spec.keys.map((key, index) => {
    const path: Path = ['spec', 'keys', index];
    return inPlace(document, name, path, () => readKey(key, name, identity));
  });
  const recipient: Recipient = {
    name,
    type: spec.type,
    identity,
    keys,
    members: spec.members ?? [],
    ...(spec.rotation === undefined ? {} : { rotationEvery: spec.rotation.every }),
    file,
  };
  inPlace(document, name, ['spec', 'keys'], () => checkKeysTogether(keys));
  inPlace(document, name, ['spec', 'members'], () => checkGroup(recipient));
  return recipient;
}

function onlyDocument(documents: readonly CofferDocument[], file: string): CofferDocument {
  const [document, ...others] = documents;
  if (document?.kind === 'Recipient' && others.length === 0) return document;
  throw new CofferError('RECIPIENT_FILE', 'a file of the keyring holds one document, of kind Recipient', {
    advice: 'Move what is not a recipient elsewhere; give each recipient a file.',
    data: { file },
  });
}

function conforming(document: CofferDocument): RecipientDocument {
  const [problem] = schemaProblems(document);
  if (problem !== undefined) throw problem;
  return document.value as RecipientDocument;
}

type KeyOfFile = RecipientDocument['spec']['keys'][number];

function readKey(key: KeyOfFile, name: string, identity: Buffer): RecipientKey {
  const publicKey = parsePublicKey(key.publicKey);
  if (keyId(publicKey) !== key.id) {
    throw new CofferError('RECIPIENT_KEY_ID', `the public key of ${key.id} has another id`, {
      advice: 'Restore the file from git: id and publicKey belong together.',
      data: { keyId: key.id },
    });
  }
  if (!isTime(key.created)) {
    throw new CofferError('RECIPIENT_CREATED', `there is no such time as ${key.created}`, {
      advice: 'Restore the file from git: the time is endorsed with the key.',
      data: { keyId: key.id },
    });
  }
  if (!verifyEndorsement(identity, key.endorsement, name, key.id, key.created)) {
    throw new CofferError('RECIPIENT_ENDORSEMENT', `the identity of ${name} has not endorsed the key ${key.id}`, {
      advice: `Do not seal to it: find out who committed it, and ask the owner of ${name}.`,
      data: { keyId: key.id },
    });
  }
  const seeds = new Map(
    Object.entries(key.seed ?? {}).map(([member, text]) => [member, { kid: parseStanza(text).kid, text }]),
  );
  return { kid: key.id, status: key.status, created: key.created, publicKey, endorsement: key.endorsement, seeds };
}

/** The grammar lets through the 31st of February. */
function isTime(created: string): boolean {
  const time = Date.parse(created);
  return !Number.isNaN(time) && new Date(time).toISOString() === created.replace('Z', '.000Z');
}

function checkKeysTogether(keys: readonly RecipientKey[]): void {
  const seen = new Set<string>();
  for (const { kid } of keys) {
    if (seen.has(kid)) {
      throw new CofferError('RECIPIENT_KEY_TWICE', `the key ${kid} is listed twice`, {
        advice: 'Remove one of the two; where their statuses differ, keep the later one (revoked, retired, active).',
        data: { keyId: kid },
      });
    }
    seen.add(kid);
  }
  const late = keys.find(({ created }, index) => created > (keys[index - 1]?.created ?? created));
  if (late !== undefined) {
    throw new CofferError('RECIPIENT_KEY_ORDER', `the key ${late.kid} stands below an older one`, {
      advice: 'Put the newest key first.',
      data: { keyId: late.kid },
    });
  }
  const active = keys.find((key) => key.status === 'active');
  const newer = active && keys.find(({ created }) => created > active.created);
  if (newer !== undefined && newer.status !== 'active') {
    throw new CofferError(
      'RECIPIENT_STATUS_BACK',
      `the active key is older than ${newer.kid}, which is ${newer.status}`,
      {
        advice:
          'A key that was retired or revoked is never active again: restore the file from git, or make a new key.',
        data: { keyId: active?.kid },
      },
    );
  }
  if (keys.filter((key) => key.status === 'active').length > 1) {
    throw new CofferError('RECIPIENT_TWO_ACTIVE', 'more than one key is active', {
      advice: 'Retire all but the newest.',
    });
  }
}

function checkGroup({ name, type, members, keys }: Recipient): void {
  const rows = keys.map((key) => [...key.seeds.keys()]);
  if (type !== 'group') {
    if (members.length === 0 && rows.every((row) => row.length === 0)) return;
    throw new CofferError('RECIPIENT_NOT_GROUP', `${name} is a ${type}, and has members or seeds as a group has`, {
      advice: 'Remove members and seed, or make it a group.',
    });
  }
  const stranger = rows.flat().find((member) => !members.includes(member));
  if (stranger !== undefined) {
    throw new CofferError('RECIPIENT_GROUP', `the group's seed is sealed to ${stranger}, who is no member`, {
      advice: `Remove that row; if ${stranger} has left, the group needs a new key.`,
    });
  }
  // Of a former key nothing may be left: all who had it have left since.
  const isSealed = keys.every(({ status, seeds }) => seeds.size > 0 || status !== 'active');
  if (members.length === 0 || members.includes(name) || !isSealed) {
    throw new CofferError(
      'RECIPIENT_GROUP',
      'a group has members, not itself among them, and its active key has seeds',
      {
        advice: 'Restore the file from git, or make the group again.',
      },
    );
  }
}

/** Gives an error its place in the file. */
function inPlace<Result>(document: CofferDocument, recipient: string, path: Path, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof CofferError ? error.at({ ...placeOf(document, path), recipient }) : error;
  }
}

function placeOf(document: CofferDocument, path: Path): { file: string; line: number; column: number } {
  const { line, column } = document.position(path);
  return { file: document.file, line, column };
}
