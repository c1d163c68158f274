import { CofferError } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { isSignedBy, keyIdOf, NOTE_LIMIT } from '../note/signed-note.ts';
import type { LogStore } from '../store.ts';
import type { Finding } from './finding.ts';

/** A checkpoint that the pinned identity signed. */
export interface Trusted extends Checkpoint {
  /** `log`: its newest. `history`: one that the log kept. `given`: whoever verifies brought it along. `seen`: another log has it. */
  from: 'log' | 'history' | 'given' | 'seen';
}

export interface TrustedCheckpoints {
  /** Undefined: the log has none that can be believed. */
  newest: Trusted | undefined;
  /** All of one origin, the smallest first. */
  all: Trusted[];
  /** What the log calls itself; empty: nothing says. */
  origin: string;
  findings: Finding[];
}

/** 2^16 tiles' worth of them: a log of 16 million records. */
const HISTORY_LIMIT = 64 * 1024 * 1024;

/** Reads every checkpoint that there is, and believes those that `identity` signed. */
export async function readTrusted(
  store: LogStore,
  identity: Buffer,
  given: readonly string[],
): Promise<TrustedCheckpoints> {
  const findings: Finding[] = [];
  // Before the newest, since a log that is written meanwhile would keep one that goes beyond it.
  const kept = await readHistory(store, identity);
  const text = (await store.read('checkpoint', NOTE_LIMIT))?.toString();
  if (text === undefined)
    findings.push({ kind: 'unsigned', message: 'the log has no checkpoint: nothing vouches for it' });
  const newest = text === undefined ? undefined : believed(text, 'log', identity, findings);
  const brought = given.map((one) => believed(one, 'given', identity, findings)).filter((one) => one !== undefined);
  const origin = newest?.origin ?? (await originOf(store)) ?? brought[0]?.origin ?? '';
  for (const other of brought.filter((one) => one.origin !== origin)) {
    const message = `a checkpoint that you gave is of ${other.origin}, and this is ${origin || 'a log without a name'}`;
    findings.push({ kind: 'replaced-log', message });
  }
  const all = [...(newest === undefined ? [] : [newest]), ...brought, ...kept].filter((one) => one.origin === origin);
  return { newest, all: all.sort((a, b) => a.size - b.size), origin, findings };
}

/** A checkpoint that another log has seen of the one of that origin; undefined: it is of another, or the identity did not sign it. */
export function seenOf(text: string, origin: string, identity: Buffer): Trusted | undefined {
  const seen = believed(text, 'seen', identity, []);
  return seen?.origin === origin ? seen : undefined;
}

function believed(text: string, from: Trusted['from'], identity: Buffer, findings: Finding[]): Trusted | undefined {
  const which = from === 'given' ? 'a checkpoint that you gave' : 'the checkpoint of the log';
  try {
    const { note, ...checkpoint } = parseCheckpoint(text);
    if (isSignedBy(note, checkpoint.origin, identity)) return { ...checkpoint, from };
    const keyId = keyIdOf(checkpoint.origin, identity);
    const others = note.signatures.map((signature) => signature.keyId);
    findings.push(
      others.includes(keyId)
        ? { kind: 'altered-checkpoint', message: `${which} (${checkpoint.size} records) is not what was signed` }
        : { kind: 'replaced-key', message: `${which} is signed by others, and not by the identity that is believed` },
    );
  } catch (error) {
    if (!(error instanceof CofferError) || error.code !== 'AUDIT_CHECKPOINT_INVALID') throw error;
    findings.push({ kind: 'malformed', message: `${which} is none: ${error.message}` });
  }
  return undefined;
}

/** Those that the log keeps of earlier days. They help to say where; one that is gone or wrong says nothing. */
async function readHistory(store: LogStore, identity: Buffer): Promise<Trusted[]> {
  const text = (await store.read('checkpoints', HISTORY_LIMIT))?.toString() ?? '';
  const notes = text
    .split('\n')
    .map(stringFrom)
    .filter((note) => note !== undefined);
  return notes.map((note) => believed(note, 'history', identity, [])).filter((one) => one !== undefined);
}

async function originOf(store: LogStore): Promise<string | undefined> {
  return (await store.read('origin', NOTE_LIMIT))?.toString().trimEnd();
}

/** Undefined: the line is empty, or a kill tore it. */
function stringFrom(line: string): string | undefined {
  const value = parseJson(line);
  return typeof value === 'string' ? value : undefined;
}
