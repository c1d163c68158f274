import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sodiumReady } from '../../core/crypto/sodium.ts';
import { Bug, CofferError } from '../../core/errors.ts';
import { placeFile } from '../../core/files/place-file.ts';
import { createGroup, createRecipient } from '../../core/keys/create.ts';
import { readIdentity, storeIdentity, storeSecretKey } from '../../core/keys/key-directory.ts';
import { identityText } from '../../core/keys/key-texts.ts';
import { activeKey, type Recipient } from '../../core/keys/recipient.ts';
import { renderRecipient } from '../../core/keys/recipient-text.ts';
import { timestamp } from '../../core/timestamp.ts';
import { NAME } from '../../schemas/grammar.ts';
import { keyDirectory } from './key-directory.ts';
import { confirmId, pin } from './pinning.ts';
import { sealingKeysFor } from './sealing-keys.ts';
import type { Workspace } from './workspace.ts';

/** What was made, in public terms. */
export interface MadeRecipient extends Record<string, unknown> {
  file: string;
  identity: string;
  keyId: string;
  /** Paths of the secret files. */
  secrets: string[];
}

/** Makes a recipient that is no group. Throws RECIPIENT_EXISTS, RECIPIENT_NAME. */
export async function makeRecipient(
  workspace: Workspace,
  wanted: { name: string; type: string; members: string[]; keyDir: string | undefined },
): Promise<MadeRecipient> {
  const { name, type } = wanted;
  if (type !== 'cluster' && type !== 'person' && type !== 'recovery') throw new Bug('a type that the flag rules out');
  if (wanted.members.length > 0)
    throw usage('USAGE', 'only a group has members', 'Leave --member out, or use --type group.');
  checkName(workspace, name);
  await confirmId(workspace);
  await sodiumReady();
  const { recipient, seed, identitySeed } = createRecipient({ name, type, created: timestamp(new Date()) });
  const directory = keyDirectory(wanted.keyDir);
  try {
    // Secrets are stored before the public part is published, so that somebody can open what is sealed to it. The
    // identity goes first, because storing it may be refused (IDENTITY_EXISTS).
    const identityFile = await storeIdentity(directory, name, identitySeed);
    const keyFile = await storeSecretKey(directory, seed);
    return await publish(workspace, recipient, [keyFile, identityFile]);
  } finally {
    seed.fill(0);
    identitySeed.fill(0);
  }
}

/** Makes a group, vouched for by its creator's identity. Throws GROUP_NO_MEMBERS, GROUP_CREATOR_UNKNOWN as well. */
export async function makeGroup(
  workspace: Workspace,
  wanted: { name: string; members: string[]; creator: string | undefined; keyDir: string | undefined },
): Promise<MadeRecipient> {
  const { name, members } = wanted;
  if (members.length === 0) throw usage('GROUP_NO_MEMBERS', 'a group needs members', 'Name each with --member NAME.');
  checkName(workspace, name);
  await confirmId(workspace);
  await sodiumReady();
  const directory = keyDirectory(wanted.keyDir);
  const creator = wanted.creator ?? (await findCreator(workspace, directory));
  const identitySeed = await readIdentity(directory, creator);
  try {
    const keys = await sealingKeysFor(workspace, members);
    const { recipient, seed } = createGroup({ name, created: timestamp(new Date()), members: keys, identitySeed });
    seed.fill(0);
    return await publish(workspace, recipient, []);
  } finally {
    identitySeed.fill(0);
  }
}

function checkName(workspace: Workspace, name: string): void {
  if (!new RegExp(NAME).test(name)) {
    throw usage(
      'RECIPIENT_NAME',
      'the name is not one that a recipient may have',
      'Use lower-case letters, digits and hyphens.',
    );
  }
  const there = workspace.keyring.recipients.get(name);
  const broken = workspace.keyring.problems.some((problem) => problem.data.file === recipientFile(name));
  if (there === undefined && !broken) return;
  throw new CofferError('RECIPIENT_EXISTS', `there is a recipient ${name} already; nothing was changed`, {
    advice: 'Choose another name.',
    data: { recipient: name, file: recipientFile(name) },
  });
}

async function publish(workspace: Workspace, recipient: Recipient, secrets: string[]): Promise<MadeRecipient> {
  const file = recipientFile(recipient.name);
  const path = join(workspace.root, file);
  await placeFile(path, renderRecipient(recipient));
  await pin(workspace, recipient);
  return { file, identity: identityText(recipient.identity), keyId: activeKey(recipient)?.kid ?? '', secrets };
}

/** The one recipient of the keyring whose identity is in the key directory; a person goes before a cluster. */
async function findCreator(workspace: Workspace, directory: string): Promise<string> {
  const files = new Set(await readdir(directory).catch(emptyIfMissing));
  const mine = [...workspace.keyring.recipients.values()].filter(
    ({ name, type }) => type !== 'group' && files.has(`${name}.identity`),
  );
  const people = mine.filter(({ type }) => type === 'person');
  const [creator, another] = people.length > 0 ? people : mine;
  if (creator !== undefined && another === undefined) return creator.name;
  throw usage(
    'GROUP_CREATOR_UNKNOWN',
    creator === undefined
      ? `no identity in ${directory} is of a recipient in this keyring`
      : 'several identities are yours',
    creator === undefined
      ? 'Make your own recipient first: coffer recipients create NAME --type person'
      : 'Say who vouches for the group with --creator NAME.',
  );
}

function recipientFile(name: string): string {
  return `.coffer/recipients/${name}.yaml`;
}

function usage(code: string, message: string, advice: string): CofferError {
  return new CofferError(code, message, { advice, exit: 2 });
}

function emptyIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
