import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bug, CofferError } from '../../../core/errors.ts';
import { writeFileAtomically } from '../../../core/files/atomic.ts';
import { editRecipient } from '../../../core/keys/edit-recipient.ts';
import { addMember, removeMember } from '../../../core/keys/membership.ts';
import { activeKey, type KeyStatus, type Recipient, readRecipient } from '../../../core/keys/recipient.ts';
import { timestamp } from '../../../core/timestamp.ts';
import { gitOrNothing } from '../../git/git.ts';
import { openKeys } from '../../workspace/open-keys.ts';
import { sealingKeysFor } from '../../workspace/sealing-keys.ts';
import { recipientOf, type Workspace } from '../../workspace/workspace.ts';
import { manifestFiles } from '../manifest-files.ts';
import { ownIdentity } from '../rotate/own-identity.ts';
import { type RewrappedAll, rewrapAll } from '../rotate/rewrap-all.ts';
import { type Readable, readableBy } from './readable.ts';

/**
 * Lets somebody join a group: one more row in its file, which takes the group's seed, so that a member does it.
 *
 * @returns the path that was written, from the root
 * @throws CofferError GROUP_NONE, GROUP_NOT_OPEN, GROUP_MEMBER_ALREADY, GROUP_MEMBER_TYPE, KEYS_NONE, and what `sealingKeysFor` throws
 */
export async function joinGroup(
  workspace: Workspace,
  { group: name, member, keyDir }: { group: string; member: string; keyDir: string | undefined },
): Promise<string> {
  const group = groupOf(workspace, name);
  if (recipientOf(workspace, member).type === 'group') throw nested(name, member);
  const [key] = await sealingKeysFor(workspace, [member]);
  if (key === undefined) throw new Bug('no key of a recipient that has one');
  const keys = await openKeys(workspace.keyring, { 'key-dir': keyDir });
  try {
    const active = activeKey(group);
    const secret = active && keys.opener.secretKey(name, active.kid);
    if (active !== undefined && secret === undefined) throw notOpen(group);
    await writeGroup(workspace, addMember(group, secret?.seed ?? Buffer.alloc(0), key));
    return group.file;
  } finally {
    keys.close();
  }
}

export interface Left extends RewrappedAll {
  keyId: string;
  /** What the leaver could open, of all commits that the clone has; undefined: it has not all of them. */
  readable: readonly Readable[] | undefined;
}

/**
 * Lets somebody leave a group: those who stay get a new key, which the group's identity endorses, and what the group opens is sealed to
 * it. Everything is tried before anything is written; where the writing was interrupted, or its commit, the same again goes on with it.
 *
 * @param wanted.formerKey `revoked`: what the leaver could open counts as exposed
 * @throws CofferError GROUP_NONE, GROUP_LAST_MEMBER, GROUP_NEEDS_IDENTITY, GROUP_MEMBER_UNKNOWN, KEYS_NONE, and what `sealingKeysFor` throws
 */
export async function leaveGroup(
  workspace: Workspace,
  wanted: {
    group: string;
    member: string;
    formerKey: Exclude<KeyStatus, 'active'>;
    keyDir: string | undefined;
    broken(error: CofferError): void;
  },
): Promise<Left> {
  const { member, formerKey, keyDir, broken } = wanted;
  const group = groupOf(workspace, wanted.group);
  const before = group.members.includes(member) ? undefined : await asCommitted(workspace, group);
  if (before?.members.includes(member)) return finishLeaving(workspace, { ...wanted, group, before });
  const stayingNames = group.members.filter((name) => name !== member);
  if (stayingNames.length === 0) throw lastMember(group);
  const identitySeed = await ownIdentity(workspace, group, keyDir);
  if (identitySeed === undefined) throw needsIdentity(group);
  try {
    const staying = await sealingKeysFor(workspace, stayingNames);
    const change = { staying, identitySeed, created: timestamp(new Date()), formerKey };
    const { recipient, seed } = removeMember(group, member, change);
    seed.fill(0);
    const keys = await openKeys(workspace.keyring, { 'key-dir': keyDir });
    try {
      const known = group.keys.filter(({ seeds }) => seeds.has(member)).map(({ kid }) => kid);
      const readable = await readableBy(workspace.root, new Set(known));
      const text = Buffer.from(editRecipient(await readFile(join(workspace.root, group.file)), recipient));
      const rewrapped = await rewrapAll(workspace, recipient, keys.opener, broken, text);
      return { ...rewrapped, keyId: activeKey(recipient)?.kid ?? '', readable };
    } finally {
      keys.close();
    }
  } finally {
    identitySeed.fill(0);
  }
}

/** An earlier run took the member out of the group's file, and nobody has committed that: what is left is sealed to its key. */
async function finishLeaving(
  workspace: Workspace,
  wanted: {
    group: Recipient;
    before: Recipient;
    member: string;
    keyDir: string | undefined;
    broken(error: CofferError): void;
  },
): Promise<Left> {
  const { group, before, member, keyDir, broken } = wanted;
  const keyId = activeKey(group)?.kid ?? '';
  const keys = await openKeys(workspace.keyring, { 'key-dir': keyDir });
  try {
    const known = before.keys.filter(({ seeds }) => seeds.has(member)).map(({ kid }) => kid);
    const readable = await readableBy(workspace.root, new Set(known));
    const { refused } = await rewrapAll(workspace, group, keys.opener, broken);
    const files = [group.file];
    for await (const { path, file } of manifestFiles(workspace, () => undefined)) {
      const stanzas = file.manifests.flatMap((manifest) => [...manifest.stanzas.values()]);
      if (stanzas.some((rows) => rows.get(group.name)?.kid === keyId)) files.push(path);
    }
    return { files, refused, keyId, readable };
  } finally {
    keys.close();
  }
}

/** Undefined: the last commit does not have it, or there is none. */
async function asCommitted({ root }: Workspace, { file }: Recipient): Promise<Recipient | undefined> {
  const bytes = await gitOrNothing(root, ['show', `HEAD:./${file}`]);
  return bytes === undefined ? undefined : readRecipient(bytes, file);
}

async function writeGroup({ root }: Workspace, group: Recipient): Promise<void> {
  const path = join(root, group.file);
  await writeFileAtomically(path, editRecipient(await readFile(path), group));
}

function groupOf(workspace: Workspace, name: string): Recipient {
  const group = recipientOf(workspace, name);
  if (group.type === 'group') return group;
  throw new CofferError('GROUP_NONE', `${name} is a ${group.type}, not a group`, {
    advice: 'Name a group; `coffer recipients list` shows them.',
    data: { recipient: name, file: group.file },
    exit: 2,
  });
}

function nested(name: string, member: string): CofferError {
  return new CofferError('GROUP_MEMBER_TYPE', `${member} is a group, and groups do not nest`, {
    advice: 'Let its members join one by one, or list both groups in the manifests.',
    data: { recipient: name },
    exit: 2,
  });
}

function notOpen({ name, members }: Recipient): CofferError {
  return new CofferError('GROUP_NOT_OPEN', `your keys do not open the group ${name}`, {
    advice: `Let one of its members run it: ${members.join(', ')}.`,
    data: { recipient: name },
  });
}

function lastMember({ name }: Recipient): CofferError {
  return new CofferError('GROUP_LAST_MEMBER', `nobody would be left in the group ${name}`, {
    advice: `Remove the group: coffer recipients remove ${name}`,
    data: { recipient: name },
    exit: 2,
  });
}

function needsIdentity({ name, file }: Recipient): CofferError {
  return new CofferError('GROUP_NEEDS_IDENTITY', `the identity of the group ${name} is not in the key directory`, {
    advice:
      'Its creator has it, and makes the new key that those who stay get: let them run this, or name the folder with --key-dir.',
    data: { recipient: name, file },
  });
}
