import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { sodiumReady } from '../crypto/sodium.ts';
import { CofferError } from '../errors.ts';
import { listIfThere } from '../files/read-if-there.ts';
import { type Recipient, readRecipient } from './recipient.ts';

/** Relative to the root of the repository. */
export const RECIPIENTS_FOLDER = '.coffer/recipients';

/** The recipients that a repository commits. A file that is wrong is a problem, and its recipient is not here. */
export interface Keyring {
  recipients: ReadonlyMap<string, Recipient>;
  problems: CofferError[];
}

/** @param files all of `.coffer/recipients/`, paths as errors should name them. Never throws for what a file says. Needs `sodiumReady`. */
export function keyringFrom(files: Iterable<{ path: string; bytes: Uint8Array }>): Keyring {
  const problems: CofferError[] = [];
  const read: Recipient[] = [];
  for (const { path, bytes } of files) {
    if (!isDocumentFile(path)) continue;
    const recipient = readOr(problems, path, bytes);
    if (recipient !== undefined) read.push(recipient);
  }
  const recipients = new Map(read.map((recipient) => [recipient.name, recipient]));
  for (const problem of [...sharedKeys(read), ...nestedGroups(read)]) {
    problems.push(problem);
    if (problem.data.recipient !== undefined) recipients.delete(problem.data.recipient);
  }
  return { recipients, problems };
}

/** From a working tree. A repository without recipients has an empty keyring. */
export async function readKeyring(root: string): Promise<Keyring> {
  await sodiumReady();
  const names = await listIfThere(join(root, RECIPIENTS_FOLDER));
  const files = [];
  for (const name of names.filter(isDocumentFile).toSorted()) {
    files.push({
      path: posix.join(RECIPIENTS_FOLDER, name),
      bytes: await readFile(join(root, RECIPIENTS_FOLDER, name)),
    });
  }
  return keyringFrom(files);
}

/** Whether this path, from the root, is one that a keyring is read from. */
export function isKeyringPath(path: string): boolean {
  return posix.dirname(path) === RECIPIENTS_FOLDER && isDocumentFile(path);
}

/** The recipient whose file lists this key: one at most. */
export function recipientOfKey(keyring: Keyring, kid: string): Recipient | undefined {
  for (const recipient of keyring.recipients.values()) {
    if (recipient.keys.some((key) => key.kid === kid)) return recipient;
  }
  return undefined;
}

function isDocumentFile(path: string): boolean {
  return /\.(?:ya?ml|json)$/.test(path);
}

function readOr(problems: CofferError[], path: string, bytes: Uint8Array): Recipient | undefined {
  try {
    return readRecipient(bytes, path);
  } catch (error) {
    if (!(error instanceof CofferError)) throw error;
    problems.push(error);
    return undefined;
  }
}

/** One kid belongs to one recipient. Which of two is the impostor cannot be told, so neither is used. */
function sharedKeys(recipients: readonly Recipient[]): CofferError[] {
  const owners = Map.groupBy(
    recipients.flatMap((recipient) => recipient.keys.map((key) => ({ recipient, kid: key.kid }))),
    ({ kid }) => kid,
  );
  return [...owners].flatMap(([kid, claims]) =>
    claims.length === 1
      ? []
      : claims.map(
          ({ recipient }) =>
            new CofferError('RECIPIENT_KEY_SHARED', `the key ${kid} is listed by more than one recipient`, {
              advice: `One key belongs to one recipient: remove it from all but one of ${claims.map((claim) => claim.recipient.name).join(', ')}.`,
              data: { file: recipient.file, recipient: recipient.name, keyId: kid },
            }),
        ),
  );
}

function nestedGroups(recipients: readonly Recipient[]): CofferError[] {
  const groups = new Set(recipients.flatMap(({ name, type }) => (type === 'group' ? [name] : [])));
  return recipients.flatMap(({ name, members, file }) => {
    const nested = members.find((member) => groups.has(member));
    if (nested === undefined) return [];
    return new CofferError('RECIPIENT_GROUP_NESTED', `the group ${name} has the group ${nested} as a member`, {
      advice: `List the members of ${nested} instead: groups do not nest.`,
      data: { file, recipient: name },
    });
  });
}
