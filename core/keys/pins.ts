import { join } from 'node:path';
import { NAME, REPOSITORY_ID } from '../../schemas/grammar.ts';
import { userFolder } from '../config/user-folder.ts';
import { sodiumReady } from '../crypto/sodium.ts';
import { Bug, CofferError } from '../errors.ts';
import { placeFile } from '../files/place-file.ts';
import { readIfThere } from '../files/read-if-there.ts';
import { identityText, parseIdentity } from './key-texts.ts';
import type { Recipient } from './recipient.ts';

/**
 * Pins: the identities that a writer trusts, by recipient (docs/format.md, "Recipients"). A file of them has lines
 * `NAME coffer-identity-1-…`; blank lines and lines that begin with `#` are ignored.
 */
export interface Pins {
  /** `coffer-identity-1-…` */
  identityOf(name: string): string | undefined;
  /** What to do once an identity is found right, as the end of a sentence; absent: `coffer recipients pin NAME`. */
  confirm?(name: string): string;
}

/**
 * A file that does not exist holds no pins.
 *
 * @throws CofferError PINS_LINE, PINS_TWICE, KEY_TEXT_*, FILE_SYSTEM
 */
export async function readPinsFile(file: string): Promise<Pins> {
  await sodiumReady();
  const pins = parsePins(await readIfThere(file), file);
  return { identityOf: (name) => pins.get(name) };
}

export function checkPin(pins: Pins, recipient: Recipient): 'pinned' | 'unknown' | 'changed' {
  const pinned = pins.identityOf(recipient.name);
  if (pinned === undefined) return 'unknown';
  return pinned === identityText(recipient.identity) ? 'pinned' : 'changed';
}

/** The user's own pins for a repository, in the user's configuration. */
export function userPinsFile(env: NodeJS.ProcessEnv, repositoryId: string): string {
  if (!new RegExp(REPOSITORY_ID).test(repositoryId)) throw new Bug('a repository id is 22 characters of base64url');
  return join(userFolder(env), 'pins', repositoryId);
}

/** Adds a pin, or replaces the one of that name; every other line stays. The caller has asked, or made the identity. */
export async function writePin(file: string, name: string, identity: string): Promise<void> {
  await sodiumReady();
  if (!new RegExp(NAME).test(name)) throw new Bug('a pin is for a recipient name');
  parseIdentity(identity);
  const before = await readIfThere(file);
  parsePins(before, file);
  const kept = before.split('\n').filter((line) => line !== '' && wordsOf(line)[0] !== name);
  await placeFile(file, `${[...kept, `${name} ${identity}`].join('\n')}\n`, { mode: 0o600 });
}

function parsePins(text: string, file: string): Map<string, string> {
  const pins = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const [name, identity, ...rest] = wordsOf(line);
    if (name === undefined) continue;
    const data = { file, line: index + 1 };
    if (identity === undefined || rest.length > 0 || !new RegExp(NAME).test(name)) {
      throw new CofferError('PINS_LINE', 'a line of pins is NAME coffer-identity-1-…', {
        advice: 'Correct the line, or remove it and pin again with `coffer recipients pin`.',
        data,
      });
    }
    if (pins.has(name)) {
      throw new CofferError('PINS_TWICE', `${name} is pinned twice`, {
        advice: 'Keep the line whose identity the owner confirms.',
        data: { ...data, recipient: name },
      });
    }
    pins.set(name, identityAt(identity, { ...data, recipient: name }));
  }
  return pins;
}

function identityAt(text: string, data: { file: string; line: number; recipient: string }): string {
  try {
    return identityText(parseIdentity(text));
  } catch (error) {
    throw error instanceof CofferError ? error.at(data) : error;
  }
}

/** None for a blank line or a comment. */
function wordsOf(line: string): string[] {
  const trimmed = line.trim();
  return trimmed === '' || trimmed.startsWith('#') ? [] : trimmed.split(/[ \t]+/);
}
