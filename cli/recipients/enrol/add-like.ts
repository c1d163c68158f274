import { readFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { changeConfigRecipients } from '../../../core/config/edit-config.ts';
import { CONFIG_PATH } from '../../../core/config/repository.ts';
import { Bug, CofferError } from '../../../core/errors.ts';
import { writeFileAtomically } from '../../../core/files/atomic.ts';
import { namedDataKeys } from '../../../core/format/edit/sealing-run.ts';
import { manifestAt } from '../../../core/format/manifest/manifest-nodes.ts';
import type { SealingKey } from '../../../core/format/sealed/stanza.ts';
import { editRecipient } from '../../../core/keys/edit-recipient.ts';
import { addMember } from '../../../core/keys/membership.ts';
import { activeKey, type Recipient } from '../../../core/keys/recipient.ts';
import type { Opener } from '../../../core/opening/opener.ts';
import { type Fulfilment, stanzasFor } from '../../../core/requests/fulfilment.ts';
import { type JoinRequest, joinRequest } from '../../../core/requests/request.ts';
import { join, missingStanzas } from '../../../core/rotation/join.ts';
import { timestamp } from '../../../core/timestamp.ts';
import { sealingKeysFor } from '../../workspace/sealing-keys.ts';
import { recipientOf, type Workspace } from '../../workspace/workspace.ts';
import { changeManifests, manifestFiles, titleOf, writeChanged } from '../manifest-files.ts';
import { dropRequest, putRequest } from '../requests.ts';

export interface AddLike {
  name: string;
  like: string;
  /** The person's own keys, where there are any. */
  opener: Opener | undefined;
  /** What an operator made of an earlier request. */
  fulfilment?: Fulfilment | undefined;
  broken(error: CofferError): void;
}

export interface Added {
  /** Paths that were written or removed, from the root. */
  files: string[];
  /** Manifests that it is a recipient of now. */
  manifests: string[];
  /** Those of them that it cannot open yet. */
  pending: string[];
  /** Groups of the other's that it should join, and that the person's keys do not open. */
  groups: string[];
  /** What asks the other's operator for what is pending. */
  request: JoinRequest | undefined;
}

/**
 * Makes a recipient one of everything that another is a recipient of: manifests, rules, and groups where the person's keys open
 * them. What cannot be sealed to it here is asked of the other's operator, by a request.
 */
export async function addLike(workspace: Workspace, wanted: AddLike): Promise<Added> {
  const { name, like } = wanted;
  const recipient = recipientOf(workspace, name);
  if (name === like) throw sameName(name);
  const [key] = await sealingKeysFor(workspace, [name]);
  if (key === undefined) throw new Bug('no key of a recipient that has one');

  const { changed, manifests, pending } = await addToManifests(workspace, key, wanted);
  const groups = await joinGroups(workspace, key, wanted);
  const files = [
    ...(await writeChanged(workspace, changed)),
    ...groups.files,
    ...(await addToRules(workspace, name, like)),
  ];
  const request = joinRequest({ recipient: name, identity: recipient.identity, like, created: timestamp(new Date()) });
  files.push(...(await (pending.length === 0 ? dropRequest(workspace, request) : putRequest(workspace, request))));
  return { files, manifests, pending, groups: groups.closed, request: pending.length === 0 ? undefined : request };
}

async function addToManifests(workspace: Workspace, key: SealingKey, { like, opener, fulfilment, broken }: AddLike) {
  const changed = new Map<string, { before: string; after: string }>();
  const manifests: string[] = [];
  const pending: string[] = [];
  for await (const { path, file } of manifestFiles(workspace, broken)) {
    if (!file.manifests.some(({ recipients }) => recipients.includes(like))) continue;
    const after = changeManifests(file, (current, index) => {
      const ids = [...namedDataKeys(manifestAt(current, index)).values()].filter((id) => id !== undefined);
      const made = fulfilment?.kid === key.kid ? stanzasFor(fulfilment, ids) : new Map();
      return join(current, index, { like, key, made, opener });
    });
    changed.set(path, { before: file.text, after: after.text });
    for (const manifest of after.manifests) {
      if (!manifest.recipients.includes(like)) continue;
      manifests.push(titleOf(manifest));
      if (missingStanzas(manifest, key).length > 0) pending.push(titleOf(manifest));
    }
  }
  return { changed, manifests, pending };
}

/** A group is joined by a row in its file, which takes the group's seed: only who opens as a member can write it. */
async function joinGroups({ root, keyring }: Workspace, key: SealingKey, { name, like, opener }: AddLike) {
  const files: string[] = [];
  const closed: string[] = [];
  const groups = [...keyring.recipients.values()].filter(
    ({ members }) => members.includes(like) && !members.includes(name),
  );
  for (const group of groups) {
    const joined = opener === undefined ? undefined : joinedGroup(group, key, opener);
    if (joined === undefined) {
      closed.push(group.name);
      continue;
    }
    const path = joinPath(root, group.file);
    await writeFileAtomically(path, editRecipient(await readFile(path), joined));
    files.push(group.file);
  }
  return { files, closed };
}

function joinedGroup(group: Recipient, key: SealingKey, opener: Opener): Recipient | undefined {
  const active = activeKey(group);
  const secret = active && opener.secretKey(group.name, active.kid);
  return secret && addMember(group, secret.seed, key);
}

async function addToRules({ root }: Workspace, name: string, like: string): Promise<string[]> {
  const path = joinPath(root, CONFIG_PATH);
  const before = await readFile(path);
  const after = changeConfigRecipients(before, CONFIG_PATH, (names) =>
    names.includes(like) ? [...new Set([...names, name])] : names,
  );
  if (before.toString() === after) return [];
  await writeFileAtomically(path, after);
  return [CONFIG_PATH];
}

function sameName(name: string): CofferError {
  return new CofferError('RECIPIENT_LIKE_ITSELF', `${name} would be added like itself`, {
    advice: 'Name the recipient that can open the manifests already with --like.',
    data: { recipient: name },
    exit: 2,
  });
}
