import * as grammar from '../../../schemas/grammar.ts';
import { CofferError } from '../../errors.ts';
import { parseStanza } from '../../format/sealed/stanza.ts';
import { parseSealedValue } from '../../format/sealed/value.ts';
import { pathParts } from '../../git/trees/path.ts';
import { isObject, parseJson } from '../../json.ts';
import type { Proposal, ProposedValue } from './proposal.ts';

/** A proposal as JSON, with everything in order: the same proposal is the same text. */
export function proposalText(proposal: Proposal): string {
  const { id, cluster, commit, recipient, stanzas, seeds, values, fulfils, refused } = proposal;
  return JSON.stringify({
    id,
    cluster,
    commit,
    ...(recipient === undefined ? {} : { recipient: { name: recipient.name, text: recipient.text } }),
    stanzas: nested(stanzas),
    ...(seeds === undefined || seeds.size === 0 ? {} : { seeds: nested(seeds) }),
    values: values.map(({ path, namespace, name, entry, former, text }) => ({
      path,
      namespace,
      name,
      entry,
      former,
      text,
    })),
    fulfils: fulfils.toSorted(),
    refused: inOrder(refused),
  });
}

function nested(rows: ReadonlyMap<string, ReadonlyMap<string, string>>): Record<string, Record<string, string>> {
  return inOrder(new Map([...rows].map(([key, row]) => [key, inOrder(row)])));
}

function inOrder<Value>(rows: ReadonlyMap<string, Value>): Record<string, Value> {
  return Object.fromEntries([...rows].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** As a label of Kubernetes, and as a file name. */
const PROPOSAL_ID = '^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$';
const REQUEST_ID = '^[a-z]+-[-a-z0-9]{1,120}$';

/** @throws CofferError PROPOSAL_DAMAGED */
export function readProposalText(text: string): Proposal {
  const { recipient, stanzas, seeds, values, fulfils, refused, ...about } = objectOf(parseJson(text));
  return {
    id: textOf(about.id, PROPOSAL_ID),
    cluster: textOf(about.cluster, grammar.NAME),
    commit: textOf(about.commit, grammar.COMMIT),
    ...(recipient === undefined ? {} : { recipient: readRecipientText(objectOf(recipient)) }),
    stanzas: rowsOf(stanzas, (key) => textOf(key, grammar.DATA_KEY_ID), grammar.NAME),
    ...(seeds === undefined ? {} : { seeds: rowsOf(seeds, (key) => textOf(key, grammar.NAME), grammar.KEY_ID) }),
    values: listOf(values).map(readValue),
    fulfils: listOf(fulfils).map((id) => textOf(id, REQUEST_ID)),
    refused: new Map(Object.entries(objectOf(refused)).map(([path, why]) => [path, anyText(why)])),
  };
}

function readRecipientText({ name, text }: Record<string, unknown>): { name: string; text: string } {
  return { name: textOf(name, grammar.NAME), text: anyText(text) };
}

function readValue(value: unknown): ProposedValue {
  const { path, namespace, name, entry, former, text } = objectOf(value);
  if (typeof path !== 'string' || pathParts(path)?.join('/') !== path) throw damaged();
  return {
    path,
    namespace: textOf(namespace, grammar.NAME),
    name: textOf(name, grammar.MANIFEST_NAME),
    entry: textOf(entry, grammar.ENTRY),
    ...(former === undefined ? {} : { former: sealedBy(parseSealedValue, former) }),
    ...(text === undefined ? {} : { text: sealedBy(parseSealedValue, text) }),
  };
}

function rowsOf(value: unknown, keyOf: (key: string) => string, name: string): Map<string, Map<string, string>> {
  return new Map(
    Object.entries(objectOf(value)).map(([key, row]) => [
      keyOf(key),
      new Map(Object.entries(objectOf(row)).map(([to, text]) => [textOf(to, name), sealedBy(parseStanza, text)])),
    ]),
  );
}

function objectOf(value: unknown): Record<string, unknown> {
  if (isObject(value)) return value;
  throw damaged();
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged();
}

function anyText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw damaged();
}

function textOf(value: unknown, pattern: string): string {
  if (typeof value === 'string' && new RegExp(pattern).test(value)) return value;
  throw damaged();
}

/** The grammars alone let through what does not decode, which would make the whole manifest unreadable. */
function sealedBy(parse: (text: string) => unknown, text: unknown): string {
  try {
    if (typeof text !== 'string') throw damaged();
    parse(text);
    return text;
  } catch (error) {
    throw error instanceof CofferError ? damaged() : error;
  }
}

export function damaged(): CofferError {
  return new CofferError('PROPOSAL_DAMAGED', 'What the operator proposed is damaged where it was published.', {
    advice: 'Remove it where it stands; the operator publishes it again.',
  });
}
