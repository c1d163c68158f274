import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { AuditActor } from '../../../../core/audit/record.ts';
import { CofferError } from '../../../../core/errors.ts';
import { placeFile } from '../../../../core/files/place-file.ts';
import { listIfThere, readIfThere } from '../../../../core/files/read-if-there.ts';
import { throwRefusal } from '../../../../core/files/system-error.ts';
import { ENTRY, MANIFEST_NAME, NAME } from '../../../../schemas/grammar.ts';
import { keyOf } from '../../../project/namespaced-name.ts';
import { parseAs } from '../parse-as.ts';

const AskedValue = Type.Object({
  namespace: Type.String({ pattern: NAME }),
  name: Type.String({ pattern: MANIFEST_NAME }),
  entry: Type.String({ pattern: ENTRY }),
  actor: Type.Object({ kind: Type.Literal('host'), user: Type.String(), uid: Type.Optional(Type.Integer()) }),
  given: Type.String(),
});

/** A person's word that a value is to be made anew now, whatever its age. */
export type AskedValue = Static<typeof AskedValue>;

/** A word that nothing came of must not change a value long after. In milliseconds. */
const LIFETIME = 24 * 60 * 60 * 1000;

/**
 * Leaves the word in the state directory, also while the operator runs; it counts once, for a day. `secret`: NAMESPACE/NAME. Throws
 * CofferError ROTATE_WORD, FILE_SYSTEM.
 */
export async function askForValue(
  stateDirectory: string,
  { secret, entry, actor }: { secret: string; entry: string; actor: AuditActor },
  now: Date,
): Promise<void> {
  const [namespace = '', name = ''] = secret.split('/');
  const word = { namespace, name, entry, actor, given: now.toISOString() };
  if (!Value.Check(AskedValue, word) || keyOf(namespace, name) !== secret) {
    throw new CofferError('ROTATE_WORD', 'This names no entry of a secret.', {
      advice: 'Write `coffer-operator rotate NAMESPACE/NAME ENTRY --config FILE`.',
      exit: 2,
    });
  }
  await placeFile(fileOf(stateDirectory, word), `${JSON.stringify(word)}\n`, { mode: 0o600 });
}

/** Words that count now. What cannot be understood, or is too old, is taken away. Throws CofferError FILE_SYSTEM. */
export async function askedValues(stateDirectory: string, now: Date): Promise<AskedValue[]> {
  const found: AskedValue[] = [];
  for (const file of await filesIn(folderOf(stateDirectory))) {
    const word = parseAs(AskedValue, await readIfThere(file));
    const age = word === undefined ? Number.NaN : now.getTime() - Date.parse(word.given);
    if (word !== undefined && Math.abs(age) < LIFETIME) found.push(word);
    else await remove(file);
  }
  return found;
}

/** It counts no more. Throws CofferError FILE_SYSTEM. */
export async function spend(stateDirectory: string, word: AskedValue): Promise<void> {
  await remove(fileOf(stateDirectory, word));
}

async function filesIn(folder: string): Promise<string[]> {
  return (await listIfThere(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => join(folder, name));
}

async function remove(file: string): Promise<void> {
  await rm(file, { force: true }).catch(throwRefusal);
}

function folderOf(stateDirectory: string): string {
  return join(stateDirectory, 'rotate-asked');
}

/** Names of secrets and entries together may be longer than a file's. */
function fileOf(
  stateDirectory: string,
  { namespace, name, entry }: Pick<AskedValue, 'namespace' | 'name' | 'entry'>,
): string {
  return join(folderOf(stateDirectory), createHash('sha256').update(`${namespace}/${name} ${entry}`).digest('hex'));
}
