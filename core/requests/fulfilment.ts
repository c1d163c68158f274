import { DATA_KEY_ID, KEY_ID, STANZA } from '../../schemas/grammar.ts';
import { Bug, CofferError } from '../errors.ts';
import type { Stanzas } from '../format/edit/edit-recipients.ts';
import { parseStanza } from '../format/sealed/stanza.ts';
import { parseJson } from '../json.ts';
import type { JoinRequest } from './request.ts';

/**
 * What an operator made of a request: stanzas, which are ciphertext for the recipient and public. Whoever collects them need
 * not trust them: one that is wrong does not open.
 */
export interface Fulfilment {
  request: string;
  recipient: string;
  /** The recipient's key that they are sealed to. */
  kid: string;
  /** Of the newest state that was looked at. */
  commit: string;
  /** Data key id → `KID:b64u`. */
  stanzas: ReadonlyMap<string, string>;
  /** Manifests that the operator could not open: path → why. */
  refused: ReadonlyMap<string, string>;
}

/** An object of Kubernetes holds 1 MiB at most, and etcd's requests 1.5 MiB. */
export const PART_LIMIT = 512 * 1024;
/** A stanza with its data key id and what JSON puts around them. */
const STANZA_BYTES = 1640;
const STANZAS_A_PART = Math.floor(PART_LIMIT / STANZA_BYTES);
/** Told by name; beyond, their number says enough. */
const MOST_REFUSED = 100;

interface Part {
  request: string;
  recipient: string;
  kid: string;
  commit: string;
  part: number;
  parts: number;
  stanzas: Record<string, string>;
  refused: Record<string, string>;
}

/** JSON texts of bounded size, at least one. */
export function fulfilmentParts({ stanzas, refused, ...about }: Fulfilment): string[] {
  const rows = [...stanzas].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const parts = Math.max(1, Math.ceil(rows.length / STANZAS_A_PART));
  return Array.from({ length: parts }, (_, part): string => {
    const own = rows.slice(part * STANZAS_A_PART, (part + 1) * STANZAS_A_PART);
    const told = part === 0 ? [...refused].slice(0, MOST_REFUSED) : [];
    const json: Part = {
      ...about,
      part,
      parts,
      stanzas: Object.fromEntries(own),
      refused: Object.fromEntries(told),
    };
    return JSON.stringify(json);
  });
}

/**
 * All parts of what one operator made of a request.
 *
 * @throws CofferError FULFILMENT_DAMAGED, FULFILMENT_PARTS (some are missing, or of another commit), FULFILMENT_OTHER
 */
export function readFulfilment(texts: readonly string[], request: JoinRequest): Fulfilment {
  const parts = texts.map(readPart).toSorted((one, other) => one.part - other.part);
  const [first] = parts;
  if (first === undefined) throw new Bug('a fulfilment without parts');
  if (parts.some((part) => part.request !== request.id || part.recipient !== request.recipient)) {
    throw new CofferError('FULFILMENT_OTHER', 'these stanzas were made for another request', {
      advice: `Fetch those of ${request.id}.`,
      data: { recipient: request.recipient, name: request.id },
    });
  }
  const isWhole =
    parts.length === first.parts && parts.every(({ part, commit }, at) => part === at && commit === first.commit);
  if (!isWhole) {
    throw new CofferError('FULFILMENT_PARTS', 'the operator is just publishing other stanzas', {
      advice: 'Collect again in a moment.',
      data: { name: request.id },
    });
  }
  const { recipient, kid, commit } = first;
  const rows = (field: 'stanzas' | 'refused') => new Map(parts.flatMap((part) => Object.entries(part[field])));
  return { request: request.id, recipient, kid, commit, stanzas: rows('stanzas'), refused: rows('refused') };
}

/** In the shape that edits take, those of the data keys that a manifest names. */
export function stanzasFor({ recipient, stanzas }: Fulfilment, dataKeyIds: Iterable<string>): Stanzas {
  const found = new Map<string, ReadonlyMap<string, string>>();
  for (const id of dataKeyIds) {
    const text = stanzas.get(id);
    if (text !== undefined) found.set(id, new Map([[recipient, text]]));
  }
  return found;
}

function readPart(text: string): Part {
  const part = parseJson(text);
  if (isPart(part)) return part;
  throw new CofferError('FULFILMENT_DAMAGED', 'what the operator published for this request is damaged', {
    advice: 'Remove it where it stands; the operator publishes it again.',
  });
}

function isPart(part: unknown): part is Part {
  if (typeof part !== 'object' || part === null) return false;
  const {
    request,
    recipient,
    kid,
    commit,
    part: index,
    parts,
    stanzas,
    refused,
  } = part as Partial<Record<keyof Part, unknown>>;
  return (
    [request, recipient, commit].every((field) => typeof field === 'string') &&
    typeof kid === 'string' &&
    new RegExp(KEY_ID).test(kid) &&
    Number.isInteger(index) &&
    Number.isInteger(parts) &&
    isTexts(refused) &&
    isTexts(stanzas) &&
    Object.entries(stanzas).every(
      ([id, stanza]) =>
        new RegExp(DATA_KEY_ID).test(id) && new RegExp(STANZA).test(stanza) && parseStanza(stanza).kid === kid,
    )
  );
}

function isTexts(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}
