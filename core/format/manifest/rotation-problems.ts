/** What of `spec.rotation` contradicts itself or the rest of a manifest: docs/format.md, "Rotation of values". */
import { isIP } from 'node:net';
import { ENTRY } from '../../../schemas/grammar.ts';
import type { Generate } from './rotation.ts';
import { type EntryRotation, entryOfPrevious, isMade, previousOf } from './rotation.ts';

export interface RotationProblem {
  entry: string;
  code: 'ROTATION_PREVIOUS' | 'ROTATION_TWICE' | 'ROTATION_GENERATE' | 'ROTATION_PUBLIC' | 'ROTATION_TEMPLATE';
  message: string;
  advice: string;
}

const KEY_KINDS: readonly Generate['kind'][] = ['ed25519', 'rsa', 'tls'];
/** Options of `generate`, and the kinds that have them. */
const OPTIONS: { [Name in Exclude<keyof Generate, 'kind' | 'public'>]-?: readonly Generate['kind'][] } = {
  length: ['password', 'hex', 'base64'],
  bits: ['rsa'],
  names: ['tls'],
  days: ['tls'],
};
/** As certificates write them: RFC 5280 §4.2.1.6, with a wildcard as the first label (RFC 6125 §6.4.3). */
const DNS_NAME = /^(?:\*\.)?[a-zA-Z0-9_](?:[-a-zA-Z0-9_.]*[a-zA-Z0-9_])?$/;
const entryName = new RegExp(ENTRY);

/** @param templates names of `template.data` */
export function rotationProblems(
  rotation: ReadonlyMap<string, EntryRotation>,
  templates: ReadonlySet<string>,
): RotationProblem[] {
  const problems: RotationProblem[] = [];
  const takenBy = new Map<string, string>();
  for (const [entry, row] of rotation) {
    const problem = ofEntry(entry, row, templates) ?? ofPublic(entry, row, rotation, templates, takenBy);
    if (problem !== undefined) problems.push({ entry, ...problem });
    if (row.generate?.public !== undefined) takenBy.set(row.generate.public, entry);
  }
  return problems;
}

type Problem = Omit<RotationProblem, 'entry'>;

function ofEntry(entry: string, row: EntryRotation, templates: ReadonlySet<string>): Problem | undefined {
  const { generate, rotator, keepPrevious } = row;
  if (entryOfPrevious(entry) !== undefined) {
    return problem(
      'ROTATION_PREVIOUS',
      `${entry} holds a former value, which is not rotated.`,
      'Name the entry itself.',
    );
  }
  if (templates.has(entry)) {
    const advice = 'Rotate the entries that it is made of.';
    return problem('ROTATION_TEMPLATE', `${entry} is a template, which follows the entries in it.`, advice);
  }
  if (generate !== undefined && rotator !== undefined) {
    return problem('ROTATION_TWICE', `${entry} has generate and rotator.`, 'Keep one of the two.');
  }
  if (keepPrevious !== undefined && !isMade(row)) {
    const advice = 'Add generate or rotator, or remove keepPrevious.';
    return problem('ROTATION_PREVIOUS', `${entry} is changed by hand, so that no former value is kept.`, advice);
  }
  if (keepPrevious !== undefined && !entryName.test(previousOf(entry))) {
    return problem('ROTATION_PREVIOUS', `${entry}.previous is too long a name.`, 'Give the entry a shorter name.');
  }
  return generate === undefined ? undefined : ofGenerate(entry, generate);
}

function ofGenerate(entry: string, generate: Generate): Problem | undefined {
  const { kind, names } = generate;
  for (const [option, kinds] of Object.entries(OPTIONS)) {
    if (Object.hasOwn(generate, option) && !kinds.includes(kind)) {
      const advice = `Remove it; it is for ${kinds.join(', ')}.`;
      return problem('ROTATION_GENERATE', `${kind} of ${entry} takes no ${option}.`, advice);
    }
  }
  if (kind === 'tls' && names === undefined) {
    const advice = 'Add names: DNS names and IP addresses.';
    return problem('ROTATION_GENERATE', `The certificate of ${entry} is for no name.`, advice);
  }
  const odd = names?.find((name) => isIP(name) === 0 && !DNS_NAME.test(name));
  if (odd !== undefined) {
    const advice = 'Write DNS names (in ASCII; a wildcard as `*.example.com`) and IP addresses.';
    return problem('ROTATION_GENERATE', `A name of the certificate of ${entry} is neither.`, advice);
  }
  return undefined;
}

function ofPublic(
  entry: string,
  { generate, keepPrevious }: EntryRotation,
  rotation: ReadonlyMap<string, EntryRotation>,
  templates: ReadonlySet<string>,
  takenBy: ReadonlyMap<string, string>,
): Problem | undefined {
  if (generate === undefined) return undefined;
  const name = generate.public;
  const refused = (message: string, advice: string) => problem('ROTATION_PUBLIC', message, advice);
  if (name === undefined) {
    if (generate.kind !== 'tls') return undefined;
    return refused(`The certificate of ${entry} goes nowhere.`, 'Add public: the entry that gets it.');
  }
  if (!KEY_KINDS.includes(generate.kind)) {
    return refused(
      `${generate.kind} of ${entry} has no public part.`,
      `Remove public; ${KEY_KINDS.join(', ')} have one.`,
    );
  }
  const row = rotation.get(name);
  const isOther = name === entry || (row !== undefined && (isMade(row) || row.every !== undefined));
  const isTaken = isOther || takenBy.has(name) || templates.has(name) || entryOfPrevious(name) !== undefined;
  if (isTaken) return refused(`${name} is not free for the public part of ${entry}.`, 'Name another entry.');
  if (keepPrevious !== undefined && !entryName.test(previousOf(name))) {
    return refused(`${name}.previous is too long a name.`, 'Give the entry a shorter name.');
  }
  return undefined;
}

function problem(code: RotationProblem['code'], message: string, advice: string): Problem {
  return { code, message, advice };
}
