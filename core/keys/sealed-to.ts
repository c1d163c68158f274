import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KEY_ID, NAME, REPOSITORY_ID, TIMESTAMP } from '../../schemas/grammar.ts';
import { userFolder } from '../config/user-folder.ts';
import { Bug, CofferError } from '../errors.ts';
import { readIfThere } from '../files/read-if-there.ts';

/**
 * The key of a recipient that this user sealed to last. An identity endorses a key and its time, but not its status: a
 * file that leaves out the newer key and makes an older one active, which somebody stole, is valid by itself.
 */
export interface SealedTo {
  kid: string;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  created: string;
}

/** Beside the user's pins for the repository. */
export function sealedToFile(env: NodeJS.ProcessEnv, repositoryId: string): string {
  if (!new RegExp(REPOSITORY_ID).test(repositoryId)) throw new Bug('a repository id is 22 characters of base64url');
  return join(userFolder(env), 'sealed-to', repositoryId);
}

/**
 * By recipient. Lines `NAME CREATED KID`, of which the last of a name counts. A file that does not exist holds none.
 *
 * @throws CofferError PINS_LINE, FILE_SYSTEM
 */
export async function readSealedTo(file: string): Promise<ReadonlyMap<string, SealedTo>> {
  const found = new Map<string, SealedTo>();
  for (const [index, line] of (await readIfThere(file)).split('\n').entries()) {
    if (line === '') continue;
    const [name = '', created = '', kid = '', ...rest] = line.split(' ');
    if (rest.length > 0 || !matches(NAME, name) || !matches(TIMESTAMP, created) || !matches(KEY_ID, kid)) {
      throw new CofferError('PINS_LINE', 'a line of the keys that you sealed to is NAME CREATED KID', {
        advice: 'Remove the line.',
        data: { file, line: index + 1 },
      });
    }
    found.set(name, { kid, created });
  }
  return found;
}

/** By appending, so that two commands at a time lose nothing. Rejects with the system's error. */
export async function appendSealedTo(file: string, name: string, { kid, created }: SealedTo): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await appendFile(file, `${name} ${created} ${kid}\n`, { mode: 0o600 });
}

function matches(grammar: string, text: string): boolean {
  return new RegExp(grammar).test(text);
}
