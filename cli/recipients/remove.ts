import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changeConfigRecipients } from '../../core/config/edit-config.ts';
import { CONFIG_PATH } from '../../core/config/repository.ts';
import { CofferError } from '../../core/errors.ts';
import { writeFileAtomically } from '../../core/files/atomic.ts';
import { manifestAt } from '../../core/format/manifest/manifest-nodes.ts';
import { editRecipient } from '../../core/keys/edit-recipient.ts';
import type { KeyStatus, Recipient } from '../../core/keys/recipient.ts';
import { NOBODY } from '../../core/opening/opener.ts';
import { rewrap } from '../../core/rotation/rewrap.ts';
import { recipientOf, type Workspace } from '../workspace/workspace.ts';
import { changeManifests, manifestFiles, titleOf, writeChanged } from './manifest-files.ts';

export interface Removed {
  /** Paths that were written, from the root. */
  files: string[];
  /** What it could open until now, with the entries of each. */
  manifests: { manifest: string; path: string; entries: string[] }[];
}

/**
 * Takes a recipient out of all manifests and rules, and gives its keys a status that nothing is sealed to: its file stays, for
 * the history is read with it. Everything is tried before anything is written. Throws REWRAP_NOBODY_LEFT, CONFIG_RULE_EMPTY,
 * RECIPIENT_IN_GROUP.
 *
 * @param status `revoked`: whoever has its keys is no longer trusted; `retired`: it is, and only goes
 */
export async function removeRecipient(
  workspace: Workspace,
  name: string,
  status: Exclude<KeyStatus, 'active'>,
  broken: (error: CofferError) => void,
): Promise<Removed> {
  const recipient = recipientOf(workspace, name);
  refuseMember(workspace, recipient);
  const rules = await withoutRules(workspace, name);
  const changed = new Map<string, { before: string; after: string }>();
  const manifests: Removed['manifests'] = [];
  for await (const { path, file } of manifestFiles(workspace, broken)) {
    if (!file.manifests.some(({ recipients }) => recipients.includes(name))) continue;
    const after = changeManifests(file, (current, index) => {
      const manifest = manifestAt(current, index);
      if (!manifest.recipients.includes(name)) return current.text;
      manifests.push({ manifest: titleOf(manifest), path, entries: [...manifest.entries.keys()] });
      return rewrap(current, index, NOBODY, [], [name]);
    });
    changed.set(path, { before: file.text, after: after.text });
  }
  const files = await writeChanged(workspace, changed);
  if (rules !== undefined) {
    await writeFileAtomically(join(workspace.root, CONFIG_PATH), rules);
    files.push(CONFIG_PATH);
  }
  return { files: [...files, ...(await endKeys(workspace, recipient, status))], manifests };
}

async function withoutRules({ root }: Workspace, name: string): Promise<string | undefined> {
  const before = await readFile(join(root, CONFIG_PATH));
  const after = changeConfigRecipients(before, CONFIG_PATH, (names) => names.filter((each) => each !== name));
  return before.toString() === after ? undefined : after;
}

async function endKeys({ root }: Workspace, recipient: Recipient, status: KeyStatus): Promise<string[]> {
  const keys = recipient.keys.map((key) =>
    key.status === 'revoked' || key.status === status ? key : { ...key, status },
  );
  if (keys.every((key, index) => key === recipient.keys[index])) return [];
  const path = join(root, recipient.file);
  await writeFileAtomically(path, editRecipient(await readFile(path), { ...recipient, keys }));
  return [recipient.file];
}

function refuseMember({ keyring }: Workspace, { name, file }: Recipient): void {
  const groups = [...keyring.recipients.values()].filter(({ members }) => members.includes(name));
  if (groups.length === 0) return;
  const names = groups.map((group) => group.name).join(', ');
  throw new CofferError('RECIPIENT_IN_GROUP', `${name} is a member of ${names}, and opens what is sealed to it`, {
    advice: `Let it leave first, which gives the group a new key: ${groups.map((group) => `\`coffer recipients leave ${group.name} ${name}\``).join(', ')}.`,
    data: { recipient: name, file },
  });
}
