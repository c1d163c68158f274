import { randomBytes } from 'node:crypto';
import { SEALED_VALUE, STANZA } from '../../schemas/grammar.ts';
import { documentProblems, mayHoldCoffer } from '../format/document/document.ts';
import { objectOf } from '../json.ts';
import { scanText } from '../trust/sealed/sealed-scan.ts';
import type { TextDigests } from './text-digest.ts';

/**
 * One thing that a version of a file says. All are public, and small: of a sealed `text` its digest. Where a file cannot be read as
 * manifests, but sealed texts stand in it, namespace and name are empty, and the entry is what stands before the text.
 *
 * - `value`: a sealed text stands in an entry.
 * - `stanza`: a data key is sealed to a key, under this recipient's name (empty where the file cannot be read).
 * - `lists`: a manifest lists a recipient.
 * - `rotation`: a manifest says that an entry is no secret (`public`), or who makes its value (`generate`, `rotator`).
 * - `key`: the keyring has this key of a recipient.
 * - `seed`: the key of a group can be opened by the key of a member.
 * - `ejson`: the file is one of ejson, whose values have keys of another kind.
 */
export type Fact =
  | Readonly<{ kind: 'value'; namespace: string; name: string; entry: string; text: string; dataKeyId: string }>
  | Readonly<{ kind: 'stanza'; dataKeyId: string; kid: string; recipient: string }>
  | Readonly<{ kind: 'lists'; namespace: string; name: string; recipient: string }>
  | Readonly<{ kind: 'rotation'; namespace: string; name: string; entry: string; says: RotationKind }>
  | Readonly<{ kind: 'key'; recipient: string; type: string; kid: string; status: string }>
  | Readonly<{ kind: 'seed'; group: string; groupKid: string; member: string; memberKid: string }>
  | Readonly<{ kind: 'ejson' }>;

export type ValueFact = Extract<Fact, { kind: 'value' }>;

/** Whose key something is sealed to, or listed as: of a group's seed the member's. */
export function ownerIn(fact: Fact): { recipient: string; kid: string } | undefined {
  if (fact.kind === 'key' || fact.kind === 'stanza') return fact;
  return fact.kind === 'seed' ? { recipient: fact.member, kid: fact.memberKid } : undefined;
}

export type RotationKind = 'public' | 'generate' | 'rotator';

/** What a file's name makes of it. */
export type Role = 'keyring' | 'ejson' | 'other';

/** At any depth: whoever works in a folder below seals to the keyring there. */
const KEYRING_FILE = /(?:^|\/)\.coffer\/recipients\/[^/]+\.(?:ya?ml|json)$/;

const SEALED = new RegExp(SEALED_VALUE);
const SEALED_STANZA = new RegExp(STANZA);
const KEY_ID = /^[0-9a-f]{32}$/;
const ENTRY_BEFORE = /(?:^|[^-._a-zA-Z0-9])([-._a-zA-Z0-9]{1,253})["']?[ \t]*:[ \t]*["']?$/;
const MOST_BEFORE = 300;
/** What stands for ciphertext in a file that is parsed: random, so that no file can have it before. */
const MARK = `Z${randomBytes(16).toString('hex')}`;
const SHORT_TEXT = new RegExp(`^CF\\[1:[A-Za-z0-9_-]{32}:${MARK}(\\d+)\\]$`);
/** Shorter files hold no stanza, and what holds no value either says nothing. */
const SHORTEST_STANZA = 32 + 1 + 1558;
const STANZA_LENGTH = 1558;

export function roleOf(path: string): Role {
  if (path.endsWith('.ejson')) return 'ejson';
  return KEYRING_FILE.test(path) ? 'keyring' : 'other';
}

/** Needs `sodiumReady`. Never throws for what the file says, and may say a thing twice. */
export function factsOf(bytes: Buffer, role: Role, digests: TextDigests): Fact[] {
  if (role === 'ejson') return [{ kind: 'ejson' }];
  if (role === 'keyring') return keyringFacts(bytes);
  if (bytes.length < SHORTEST_STANZA && !bytes.includes('CF[1:')) return [];
  return new ManifestFacts(bytes, digests).read();
}

/** Of a file that is too large to be read as manifests: what is sealed in it, a copy of many manifests say, can be opened all the same. */
export function factsOfLarge(bytes: Buffer, digests: TextDigests): Fact[] {
  return bytes.includes('CF[1:') ? new ManifestFacts(bytes, digests).scan() : [];
}

interface Place {
  namespace: string;
  name: string;
  entry: string;
}

class ManifestFacts {
  readonly #bytes: Buffer;
  readonly #digests: TextDigests;
  readonly #facts: Fact[] = [];
  /** Of what the scan found: no document has said where it belongs yet. */
  readonly #texts = new Map<string, { dataKeyId: string; at: number }>();
  readonly #stanzas = new Map<string, readonly [dataKeyId: string, kid: string]>();

  constructor(bytes: Buffer, digests: TextDigests) {
    this.#bytes = bytes;
    this.#digests = digests;
  }

  read(): Fact[] {
    const shortened = this.#scan();
    if (this.#texts.size === 0 && this.#stanzas.size === 0 && !this.#bytes.includes('\\')) return [];
    if (mayHoldCoffer(this.#bytes)) this.#documents(shortened);
    return this.#withUnread();
  }

  scan(): Fact[] {
    this.#scan();
    return this.#withUnread();
  }

  /** With what no document has said where it belongs. */
  #withUnread(): Fact[] {
    for (const [text, { dataKeyId, at }] of this.#texts) {
      this.#value({ namespace: '', name: '', entry: this.#entryBefore(at) }, text, dataKeyId);
    }
    for (const [dataKeyId, kid] of this.#stanzas.values()) this.#add({ kind: 'stanza', dataKeyId, kid, recipient: '' });
    return this.#facts;
  }

  /**
   * Finds what is sealed wherever it stands, in comments and torn files too. Returns the file with a short name in place of each
   * ciphertext, of letters that it could consist of: the file means the same, and takes a tenth of the time to parse.
   */
  #scan(): { bytes: Buffer; textOf: (short: string) => string } {
    const file = this.#bytes.toString('latin1');
    const texts: string[] = [];
    const pieces: string[] = [];
    let end = 0;
    scanText(file, {
      text: (dataKeyId, text, at) => {
        this.#texts.set(text, { dataKeyId, at });
        pieces.push(file.slice(end, at), `CF[1:${dataKeyId}:${MARK}${texts.length}]`);
        texts.push(text);
        end = at + text.length;
      },
      key: (dataKeyId, kid, at) => {
        this.#stanzas.set(`${dataKeyId} ${kid}`, [dataKeyId, kid]);
        pieces.push(file.slice(end, at), `${kid}:${MARK}`);
        end = at + kid.length + 1 + STANZA_LENGTH;
      },
    });
    pieces.push(file.slice(end));
    const textOf = (text: string) => texts[Number(SHORT_TEXT.exec(text)?.[1] ?? -1)] ?? text;
    return { bytes: Buffer.from(pieces.join(''), 'latin1'), textOf };
  }

  #documents({ bytes, textOf }: { bytes: Buffer; textOf: (short: string) => string }): void {
    for (const { kind, value } of documentProblems(bytes, '').documents.documents) {
      if (kind !== 'EncryptedSecret') continue;
      const { metadata, spec } = objectOf(value);
      const { namespace, name } = objectOf(metadata);
      if (typeof namespace !== 'string' || typeof name !== 'string') continue;
      const { data, keys, recipients, rotation } = objectOf(spec);
      for (const [entry, text] of Object.entries(objectOf(data))) {
        if (typeof text === 'string') this.#sealed({ namespace, name, entry }, textOf(text));
      }
      for (const [dataKeyId, stanzas] of Object.entries(objectOf(keys))) this.#stanzasOf(dataKeyId, objectOf(stanzas));
      for (const [entry, says] of rotationKinds(objectOf(rotation))) {
        this.#add({ kind: 'rotation', namespace, name, entry, says });
      }
      for (const recipient of Array.isArray(recipients) ? recipients : []) {
        if (typeof recipient === 'string') this.#add({ kind: 'lists', namespace, name, recipient });
      }
    }
  }

  #sealed(place: Place, text: string): void {
    if (!SEALED.test(text)) return;
    const dataKeyId = text.slice('CF[1:'.length, 'CF[1:'.length + 32);
    this.#texts.delete(text);
    this.#value(place, text, dataKeyId);
  }

  #value({ namespace, name, entry }: Place, text: string, dataKeyId: string): void {
    this.#add({ kind: 'value', namespace, name, entry, text: this.#digests.of(text), dataKeyId });
  }

  #stanzasOf(dataKeyId: string, stanzas: Record<string, unknown>): void {
    for (const [recipient, text] of Object.entries(stanzas)) {
      if (typeof text !== 'string') continue;
      const kid = text.slice(0, 32);
      if (text !== `${kid}:${MARK}` && !SEALED_STANZA.test(text)) continue;
      this.#stanzas.delete(`${dataKeyId} ${kid}`);
      this.#add({ kind: 'stanza', dataKeyId, kid, recipient });
    }
  }

  #entryBefore(at: number): string {
    return ENTRY_BEFORE.exec(this.#bytes.toString('latin1', Math.max(0, at - MOST_BEFORE), at))?.[1] ?? '';
  }

  #add(fact: Fact): void {
    this.#facts.push(fact);
  }
}

/** What `generate.public` names is no secret: a public key, or a certificate. */
function* rotationKinds(rotation: Record<string, unknown>): Generator<[entry: string, kind: RotationKind]> {
  for (const [entry, row] of Object.entries(rotation)) {
    const { secret, generate, rotator } = objectOf(row);
    const made = objectOf(generate).public;
    if (secret === false) yield [entry, 'public'];
    if (typeof made === 'string') yield [made, 'public'];
    if (generate !== undefined) yield [entry, 'generate'];
    if (rotator !== undefined) yield [entry, 'rotator'];
  }
}

/** Read leniently: a keyring file that is wrong in another place still revokes what it says that it revokes. */
function keyringFacts(bytes: Buffer): Fact[] {
  const facts: Fact[] = [];
  for (const { kind, value } of documentProblems(bytes, '').documents.documents) {
    if (kind !== 'Recipient') continue;
    const { metadata, spec } = objectOf(value);
    const { name } = objectOf(metadata);
    const { type, keys } = objectOf(spec);
    if (typeof name !== 'string') continue;
    for (const key of Array.isArray(keys) ? keys : []) facts.push(...keyFacts(name, String(type), objectOf(key)));
  }
  return facts;
}

function keyFacts(recipient: string, type: string, { id, status, seed }: Record<string, unknown>): Fact[] {
  if (typeof id !== 'string' || !KEY_ID.test(id)) return [];
  const facts: Fact[] = [{ kind: 'key', recipient, type, kid: id, status: String(status) }];
  for (const [member, text] of Object.entries(objectOf(seed))) {
    const memberKid = typeof text === 'string' ? text.slice(0, 32) : '';
    if (KEY_ID.test(memberKid)) facts.push({ kind: 'seed', group: recipient, groupKid: id, member, memberKid });
  }
  return facts;
}
